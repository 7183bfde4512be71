"""`make demo`: the operator's story on the local AWS, scene by scene, each one checked.

`play` starts everything and ends it; `scenes` and `failing` tell; `stage` acts and asks the operator; `observe`
looks at AWS from outside, past the operator; `checks` judges; `screen` shows.
"""
