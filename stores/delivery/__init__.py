"""Delivers the file of a feed to a folder, or over FTP, FTPS, SFTP or S3. See ``docs/delivery.md``."""

from stores.delivery.carry import GAPS, Delivered, check, deliver, read_digest
from stores.delivery.destination import Destination

__all__ = ["GAPS", "Delivered", "Destination", "check", "deliver", "read_digest"]
