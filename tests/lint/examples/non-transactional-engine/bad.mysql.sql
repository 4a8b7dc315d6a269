CREATE TABLE hits (id bigint) ENGINE=MyISAM;
