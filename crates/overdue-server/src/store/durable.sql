-- Of the connection that writes. A commit is on the disk when it returns.
PRAGMA journal_mode = wal;
PRAGMA synchronous = full;
-- In KiB: the rows of ten thousand jobs stay in memory.
PRAGMA cache_size = -65536;
-- In pages: what changes again and again is copied out of the log a few times an hour rather than a few times a second.
PRAGMA wal_autocheckpoint = 10000;
