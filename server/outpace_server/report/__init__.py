"""One verdict for people: Markdown (the editor's virtual document too), and a page of HTML that needs nothing else."""
