"""Cases of the exam of training audits: projects, frauds, honest changes."""
