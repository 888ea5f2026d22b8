"""What bundler asks of the file system: scratch folders, locks, digests, the cache, shards, atomic publishing."""
