"""Headers: the bytes of a FITS or XISF header become one typed frame record."""
