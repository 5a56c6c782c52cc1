"""The formats that frames are read from (`table`): headers and samples, no meaning yet."""
