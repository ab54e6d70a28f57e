"""What is known, by one writer, without input or output: cluster events and load samples in, frozen snapshots out."""
