"""Those who have ideas, a module each: they take turns (run.py), and one turn is one idea, judged."""
