"""What a user may set: one typed model, from which schema and documentation are made."""

from calibrary.config.model import Config, load_config

__all__ = ["Config", "load_config"]
