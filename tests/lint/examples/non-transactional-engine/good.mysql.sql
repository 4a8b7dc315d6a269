CREATE TABLE hits (id bigint) ENGINE=InnoDB;
