"""What TensorFlow Serving needs beside a graph: `config`, its models.config, and `warmup`, requests for its start."""
