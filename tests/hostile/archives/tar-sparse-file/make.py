import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    """8 GB in a header of 512 bytes."""
    header = bytearray(tarfile.TarInfo("model.json").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"%011o\0%011o\0" % (8 << 30, 0)  # a piece of no bytes at the end
    header[483:495] = b"%011o\0" % (8 << 30)
    header[148:156] = b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:512]))
    (project / "m.tgz").write_bytes(gzip.compress(bytes(header) + bytes(1024)))
