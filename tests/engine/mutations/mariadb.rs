//! MariaDB's.

use super::{Mutation, Suite};
use crate::harness::Server;

const TABLES: &str = "
CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 10 CACHE 20;
CREATE TABLE customers (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    email VARCHAR(120) COMMENT 'for invoices',
    status ENUM('new', 'old') NOT NULL DEFAULT 'new',
    made DATETIME NOT NULL DEFAULT current_timestamp(),
    changed TIMESTAMP NULL ON UPDATE current_timestamp(),
    code CHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    shout VARCHAR(100) GENERATED ALWAYS AS (concat(name, '!')) VIRTUAL,
    grade INT CHECK (grade < 10),
    UNIQUE KEY by_email (email),
    KEY by_name (name, email),
    KEY by_made (made DESC),
    KEY by_code (code(4)) COMMENT 'short',
    FULLTEXT KEY words (name),
    CONSTRAINT named CHECK (name <> '')
) COMMENT = 'who buys';
CREATE TABLE sales (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number BIGINT NOT NULL DEFAULT nextval(numbers),
    customer INT NOT NULL,
    total DECIMAL(12, 2) NOT NULL DEFAULT 0,
    pieces INT UNSIGNED,
    KEY by_total (total),
    CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE
);
CREATE TABLE log (at DATE NOT NULL, line TEXT) ROW_FORMAT = DYNAMIC
PARTITION BY RANGE (year(at)) (PARTITION old VALUES LESS THAN (2020), PARTITION new VALUES LESS THAN MAXVALUE);
CREATE TABLE notes (id INT NOT NULL, body TEXT, KEY by_id (id));
CREATE VIEW big AS SELECT id, customer, total FROM sales WHERE total > 1000 WITH CASCADED CHECK OPTION;
CREATE VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id;
CREATE TRIGGER sale_first BEFORE INSERT ON sales FOR EACH ROW SET NEW.pieces = coalesce(NEW.pieces, 1);
CREATE TRIGGER sale_second BEFORE INSERT ON sales FOR EACH ROW SET NEW.total = abs(NEW.total);
CREATE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2;
CREATE PROCEDURE clean (IN upto DATE, OUT gone INT) COMMENT 'nightly'
BEGIN
    DELETE FROM log WHERE at < upto;
    SET gone = row_count();
END;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log WHERE at < '2000-01-01';
";

const MUTATIONS: &[Mutation] = &[
    (
        "ALTER TABLE sales MODIFY total DECIMAL(10, 2) NOT NULL DEFAULT 0",
        "",
    ),
    ("ALTER TABLE sales MODIFY total DECIMAL(12, 2) NULL DEFAULT 0", ""),
    ("ALTER TABLE sales ALTER total SET DEFAULT 1", ""),
    ("ALTER TABLE sales ALTER total DROP DEFAULT", ""),
    ("ALTER TABLE sales MODIFY pieces INT", ""),
    ("ALTER TABLE sales ADD COLUMN extra INT", ""),
    ("ALTER TABLE sales DROP COLUMN pieces", ""),
    ("ALTER TABLE notes RENAME COLUMN body TO text", ""),
    ("ALTER TABLE sales MODIFY pieces INT UNSIGNED AFTER customer", ""),
    (
        "ALTER TABLE customers MODIFY email VARCHAR(120) COMMENT 'for news'",
        "",
    ),
    (
        "ALTER TABLE customers MODIFY code CHAR(8) CHARACTER SET ascii COLLATE ascii_general_ci",
        "",
    ),
    (
        "ALTER TABLE customers MODIFY code CHAR(8) CHARACTER SET latin1 COLLATE latin1_bin",
        "",
    ),
    ("ALTER TABLE customers MODIFY changed TIMESTAMP NULL", ""),
    (
        "ALTER TABLE customers MODIFY shout VARCHAR(100) GENERATED ALWAYS AS (concat(name, '?')) VIRTUAL",
        "",
    ),
    (
        "ALTER TABLE customers DROP COLUMN shout, ADD COLUMN shout VARCHAR(100) GENERATED ALWAYS AS (concat(name, '!')) STORED AFTER code",
        "",
    ),
    ("ALTER TABLE sales MODIFY id INT NOT NULL", ""),
    ("ALTER TABLE sales MODIFY pieces INT UNSIGNED INVISIBLE", ""),
    (
        "ALTER TABLE customers MODIFY status ENUM('new', 'old', 'gone') NOT NULL DEFAULT 'new'",
        "",
    ),
    ("ALTER TABLE customers MODIFY grade INT CHECK (grade < 100)", ""),
    ("DROP INDEX by_total ON sales", ""),
    ("CREATE INDEX by_pieces ON sales (pieces)", ""),
    (
        "ALTER TABLE customers DROP INDEX by_name, ADD INDEX by_name (email, name)",
        "",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_email, ADD INDEX by_email (email)",
        "",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_made, ADD INDEX by_made (made)",
        "",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_code, ADD INDEX by_code (code(5)) COMMENT 'short'",
        "",
    ),
    ("ALTER TABLE customers ALTER INDEX by_name IGNORED", ""),
    (
        "ALTER TABLE customers DROP INDEX by_code, ADD INDEX by_code (code(4)) COMMENT 'long'",
        "",
    ),
    ("DROP INDEX words ON customers", ""),
    ("ALTER TABLE notes ADD PRIMARY KEY (id)", ""),
    (
        "ALTER TABLE sales DROP PRIMARY KEY, ADD PRIMARY KEY (id, number)",
        "",
    ),
    ("ALTER TABLE sales DROP FOREIGN KEY of_customer", ""),
    (
        "ALTER TABLE sales DROP FOREIGN KEY of_customer; ALTER TABLE sales ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE RESTRICT ON UPDATE CASCADE",
        "",
    ),
    ("ALTER TABLE customers DROP CONSTRAINT named", ""),
    (
        "ALTER TABLE customers DROP CONSTRAINT named; ALTER TABLE customers ADD CONSTRAINT named CHECK (name <> ' ')",
        "",
    ),
    ("DROP TABLE notes", ""),
    ("CREATE TABLE junk (id INT)", ""),
    ("ALTER TABLE notes ENGINE = MyISAM", ""),
    ("ALTER TABLE log ROW_FORMAT = COMPACT", ""),
    ("ALTER TABLE notes COLLATE = utf8mb4_bin", ""),
    ("ALTER TABLE customers COMMENT = 'who pays'", ""),
    ("ALTER TABLE log REMOVE PARTITIONING", ""),
    (
        "ALTER TABLE log REORGANIZE PARTITION old INTO (PARTITION older VALUES LESS THAN (2010), PARTITION old VALUES LESS THAN (2020))",
        "",
    ),
    ("ALTER TABLE notes ADD SYSTEM VERSIONING", ""),
    ("ALTER SEQUENCE numbers INCREMENT BY 1", ""),
    ("ALTER SEQUENCE numbers CYCLE", ""),
    (
        "CREATE OR REPLACE VIEW big AS SELECT id, customer, total FROM sales WHERE total > 2000 WITH CASCADED CHECK OPTION",
        "",
    ),
    (
        "CREATE OR REPLACE VIEW big AS SELECT id, customer, total FROM sales WHERE total > 1000",
        "",
    ),
    (
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "",
    ),
    (
        "CREATE OR REPLACE ALGORITHM = TEMPTABLE VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "",
    ),
    (
        "CREATE OR REPLACE DEFINER = root@localhost VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "",
    ),
    ("DROP VIEW big_customers", ""),
    ("CREATE VIEW junk AS SELECT 1 AS one", ""),
    ("DROP TRIGGER sale_second", ""),
    (
        "CREATE OR REPLACE TRIGGER sale_second BEFORE INSERT ON sales FOR EACH ROW SET NEW.total = 0",
        "",
    ),
    (
        "CREATE OR REPLACE TRIGGER sale_second BEFORE UPDATE ON sales FOR EACH ROW SET NEW.total = abs(NEW.total)",
        "",
    ),
    (
        "CREATE OR REPLACE TRIGGER sale_first BEFORE INSERT ON sales FOR EACH ROW FOLLOWS sale_second SET NEW.pieces = coalesce(NEW.pieces, 1)",
        "",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 3",
        "",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n BIGINT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2",
        "",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT NOT DETERMINISTIC NO SQL RETURN n * 2",
        "",
    ),
    ("ALTER PROCEDURE clean READS SQL DATA", ""),
    ("ALTER PROCEDURE clean SQL SECURITY INVOKER", ""),
    ("ALTER PROCEDURE clean COMMENT 'weekly'", ""),
    ("DROP PROCEDURE clean", ""),
    ("ALTER EVENT nightly ON SCHEDULE EVERY 2 DAY", ""),
    ("ALTER EVENT nightly DISABLE", ""),
    ("DROP EVENT nightly", ""),
    ("ALTER DATABASE COLLATE utf8mb4_bin", ""),
    (
        "SET sql_mode = 'ANSI_QUOTES'; CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2",
        "",
    ),
];

/// The past of rows is in the table that is versioned, and the SQL that ends it is only shown.
const UNMENDED: &[&str] = &[];

const HARMLESS: &[&str] = &[
    "INSERT INTO customers (name) VALUES ('a'), ('b'); INSERT INTO sales (customer) VALUES (1)",
    "ALTER TABLE customers AUTO_INCREMENT = 1000",
    "ANALYZE TABLE customers",
    "OPTIMIZE TABLE sales",
    "SELECT nextval(numbers)",
    "ALTER TABLE customers DROP INDEX by_name; ALTER TABLE customers ADD INDEX by_name (name, email)",
    "ALTER TABLE sales DROP COLUMN pieces; ALTER TABLE sales ADD COLUMN pieces INT UNSIGNED",
    "ALTER TABLE sales DROP FOREIGN KEY of_customer; ALTER TABLE sales ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE",
    "ALTER TABLE notes FORCE",
    "RENAME TABLE notes TO notes_before; RENAME TABLE notes_before TO notes",
    "ALTER EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00'",
    "DROP TABLE notes; create table `notes` (`id` integer not null, `body` text null default null, index `by_id` (`id`))",
    "ALTER TABLE customers DROP CONSTRAINT named; ALTER TABLE customers ADD CONSTRAINT named CHECK (`name`<>'')",
];

#[test]
fn each_change_is_found_and_mended_on_mariadb() {
    let suite = Suite::new(Server::Mariadb, TABLES, MUTATIONS, UNMENDED);
    suite.check();
    suite.harmless(HARMLESS);
}
