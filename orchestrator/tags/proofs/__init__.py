"""What proves, by reading all of it, that the sound in a file is as its encoder wrote it; one module per container."""
