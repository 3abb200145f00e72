"""Cost and accuracy: what an exam's arms cost, beside published models, as a chart."""
