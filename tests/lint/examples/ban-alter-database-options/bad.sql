ALTER DATABASE shop SET work_mem = '64MB';
