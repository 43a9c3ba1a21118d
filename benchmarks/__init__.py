"""What Holdfast costs, each figure as a ratio to a bare limit measured in the same run: `./dev bench [NAME ...]`."""
