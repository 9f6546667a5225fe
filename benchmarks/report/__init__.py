"""What is made of the figures of `matrix.py`: a picture and a page of the docs."""
