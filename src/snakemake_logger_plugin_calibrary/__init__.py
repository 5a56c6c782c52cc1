"""Calibrary's own words on the terminal: ``snakemake --logger calibrary``."""

from calibrary.console.handler import LogHandler

__all__ = ["LogHandler"]
