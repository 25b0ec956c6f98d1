"""Made-up data to look around in: nobody in it exists, and no address of it reaches anybody."""
