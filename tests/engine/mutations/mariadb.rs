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
        "column `sales.total` is decimal(10,2), expected decimal(12,2)",
    ),
    (
        "ALTER TABLE sales MODIFY total DECIMAL(12, 2) NULL DEFAULT 0",
        "column `sales.total` is NULL, expected NOT NULL",
    ),
    (
        "ALTER TABLE sales ALTER total SET DEFAULT 1",
        "column `sales.total` has default 1.00, expected 0.00",
    ),
    (
        "ALTER TABLE sales ALTER total DROP DEFAULT",
        "column `sales.total` has no default, expected 0.00",
    ),
    (
        "ALTER TABLE sales MODIFY pieces INT",
        "column `sales.pieces` is int(11), expected int(10) unsigned",
    ),
    (
        "ALTER TABLE sales ADD COLUMN extra INT",
        "extra column `sales.extra`",
    ),
    (
        "ALTER TABLE sales DROP COLUMN pieces",
        "column `sales.pieces` is missing",
    ),
    (
        "ALTER TABLE notes RENAME COLUMN body TO text",
        "column `notes.body` is missing; extra column `notes.text`",
    ),
    (
        "ALTER TABLE sales MODIFY pieces INT UNSIGNED AFTER customer",
        "table `sales` has column order id, number, customer, pieces, total, expected id, number, customer, total, pieces",
    ),
    (
        "ALTER TABLE customers MODIFY email VARCHAR(120) COMMENT 'for news'",
        "column `customers.email` has comment 'for news', expected 'for invoices'",
    ),
    (
        "ALTER TABLE customers MODIFY code CHAR(8) CHARACTER SET ascii COLLATE ascii_general_ci",
        "column `customers.code` has collation ascii_general_ci, expected ascii_bin",
    ),
    (
        "ALTER TABLE customers MODIFY code CHAR(8) CHARACTER SET latin1 COLLATE latin1_bin",
        "column `customers.code` has charset latin1, expected ascii; column `customers.code` has collation latin1_bin, expected ascii_bin",
    ),
    (
        "ALTER TABLE customers MODIFY changed TIMESTAMP NULL",
        "column `customers.changed` has no on update, expected current_timestamp()",
    ),
    (
        "ALTER TABLE customers MODIFY shout VARCHAR(100) GENERATED ALWAYS AS (concat(name, '?')) VIRTUAL",
        "column `customers.shout` has generated (concat(`name`,'?')) VIRTUAL, expected (concat(`name`,'!')) VIRTUAL",
    ),
    (
        "ALTER TABLE customers DROP COLUMN shout, ADD COLUMN shout VARCHAR(100) GENERATED ALWAYS AS (concat(name, '!')) STORED AFTER code",
        "column `customers.shout` has generated (concat(`name`,'!')) STORED, expected (concat(`name`,'!')) VIRTUAL",
    ),
    (
        "ALTER TABLE sales MODIFY id INT NOT NULL",
        "column `sales.id` has no extra, expected AUTO_INCREMENT",
    ),
    (
        "ALTER TABLE sales MODIFY pieces INT UNSIGNED INVISIBLE",
        "column `sales.pieces` has invisible INVISIBLE, expected none",
    ),
    (
        "ALTER TABLE customers MODIFY status ENUM('new', 'old', 'gone') NOT NULL DEFAULT 'new'",
        "column `customers.status` is enum('new','old','gone'), expected enum('new','old')",
    ),
    (
        "ALTER TABLE customers MODIFY grade INT CHECK (grade < 100)",
        "column `customers.grade` has check (`grade` < 100), expected (`grade` < 10)",
    ),
    (
        "DROP INDEX by_total ON sales",
        "index `by_total` of `sales` is missing",
    ),
    (
        "CREATE INDEX by_pieces ON sales (pieces)",
        "extra index `by_pieces` of `sales`",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_name, ADD INDEX by_name (email, name)",
        "index `by_name` of `customers` has columns (`email`,`name`), expected (`name`,`email`)",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_email, ADD INDEX by_email (email)",
        "index `by_email` of `customers` is plain, expected unique",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_made, ADD INDEX by_made (made)",
        "index `by_made` of `customers` has columns (`made`), expected (`made` DESC)",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_code, ADD INDEX by_code (code(5)) COMMENT 'short'",
        "index `by_code` of `customers` has columns (`code`(5)), expected (`code`(4))",
    ),
    (
        "ALTER TABLE customers ALTER INDEX by_name IGNORED",
        "index `by_name` of `customers` has ignored IGNORED, expected none",
    ),
    (
        "ALTER TABLE customers DROP INDEX by_code, ADD INDEX by_code (code(4)) COMMENT 'long'",
        "index `by_code` of `customers` has comment 'long', expected 'short'",
    ),
    (
        "DROP INDEX words ON customers",
        "index `words` of `customers` is missing",
    ),
    (
        "ALTER TABLE notes ADD PRIMARY KEY (id)",
        "extra constraint `primary key` of `notes`",
    ),
    (
        "ALTER TABLE sales DROP PRIMARY KEY, ADD PRIMARY KEY (id, number)",
        "constraint `primary key` of `sales` has columns (`id`,`number`), expected (`id`)",
    ),
    (
        "ALTER TABLE sales DROP FOREIGN KEY of_customer",
        "constraint `of_customer` of `sales` is missing",
    ),
    (
        "ALTER TABLE sales DROP FOREIGN KEY of_customer; ALTER TABLE sales ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE RESTRICT ON UPDATE CASCADE",
        "constraint `of_customer` of `sales` has no on delete, expected CASCADE; constraint `of_customer` of `sales` has on update CASCADE, expected none",
    ),
    (
        "ALTER TABLE customers DROP CONSTRAINT named",
        "constraint `named` of `customers` is missing",
    ),
    (
        "ALTER TABLE customers DROP CONSTRAINT named; ALTER TABLE customers ADD CONSTRAINT named CHECK (name <> ' ')",
        "constraint `named` of `customers` has check (`name` <> ' '), expected (`name` <> '')",
    ),
    ("DROP TABLE notes", "table `notes` is missing"),
    ("CREATE TABLE junk (id INT)", "extra table `junk`"),
    (
        "ALTER TABLE notes ENGINE = MyISAM",
        "table `notes` has engine MyISAM, expected InnoDB",
    ),
    (
        "ALTER TABLE log ROW_FORMAT = COMPACT",
        "table `log` has row format COMPACT, expected DYNAMIC",
    ),
    (
        "ALTER TABLE notes COLLATE = utf8mb4_bin",
        "table `notes` has collation utf8mb4_bin, expected utf8mb4_general_ci; column `notes.body` has charset utf8mb4, expected none; column `notes.body` has collation utf8mb4_general_ci, expected none",
    ),
    (
        "ALTER TABLE customers COMMENT = 'who pays'",
        "table `customers` has comment 'who pays', expected 'who buys'",
    ),
    (
        "ALTER TABLE log REMOVE PARTITIONING",
        "table `log` has other partitions",
    ),
    (
        "ALTER TABLE log REORGANIZE PARTITION old INTO (PARTITION older VALUES LESS THAN (2010), PARTITION old VALUES LESS THAN (2020))",
        "table `log` has other partitions",
    ),
    (
        "ALTER TABLE notes ADD SYSTEM VERSIONING",
        "table `notes` has options WITH SYSTEM VERSIONING, expected none",
    ),
    (
        "ALTER SEQUENCE numbers INCREMENT BY 1",
        "sequence `numbers` has increment 1, expected 10",
    ),
    (
        "ALTER SEQUENCE numbers CYCLE",
        "sequence `numbers` has cycle cycle, expected nocycle",
    ),
    (
        "CREATE OR REPLACE VIEW big AS SELECT id, customer, total FROM sales WHERE total > 2000 WITH CASCADED CHECK OPTION",
        "view `big` is select `sales`.`id` AS `id`,`sales`.`customer` AS `customer`,`sales`.`total` AS `total` from `sales` where `sales`.`total` > 2000, expected select `sales`.`id` AS `id`,`sales`.`customer` AS `customer`,`sales`.`total` AS `total` from `sales` where `sales`.`total` > 1000",
    ),
    (
        "CREATE OR REPLACE VIEW big AS SELECT id, customer, total FROM sales WHERE total > 1000",
        "view `big` has no check option, expected WITH CASCADED CHECK OPTION",
    ),
    (
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "view `big_customers` has security INVOKER, expected DEFINER",
    ),
    (
        "CREATE OR REPLACE ALGORITHM = TEMPTABLE VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "view `big_customers` has algorithm TEMPTABLE, expected UNDEFINED",
    ),
    (
        "CREATE OR REPLACE DEFINER = root@localhost VIEW big_customers AS SELECT c.name, b.total FROM customers c JOIN big b ON b.customer = c.id",
        "view `big_customers` has definer root@localhost, expected {role}",
    ),
    ("DROP VIEW big_customers", "view `big_customers` is missing"),
    ("CREATE VIEW junk AS SELECT 1 AS one", "extra view `junk`"),
    (
        "DROP TRIGGER sale_second",
        "trigger `sale_second` of `sales` is missing",
    ),
    (
        "CREATE OR REPLACE TRIGGER sale_second BEFORE INSERT ON sales FOR EACH ROW SET NEW.total = 0",
        "trigger `sale_second` of `sales` has another body",
    ),
    (
        "CREATE OR REPLACE TRIGGER sale_second BEFORE UPDATE ON sales FOR EACH ROW SET NEW.total = abs(NEW.total)",
        "trigger `sale_second` of `sales` has event UPDATE, expected INSERT; trigger `sale_second` of `sales` has order 1, expected 2",
    ),
    (
        "CREATE OR REPLACE TRIGGER sale_first BEFORE INSERT ON sales FOR EACH ROW FOLLOWS sale_second SET NEW.pieces = coalesce(NEW.pieces, 1)",
        "trigger `sale_first` of `sales` has order 2, expected 1; trigger `sale_second` of `sales` has order 1, expected 2",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 3",
        "routine `function doubled` has another body",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n BIGINT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2",
        "routine `function doubled` has parameters `n` bigint(20), expected `n` int(11)",
    ),
    (
        "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT NOT DETERMINISTIC NO SQL RETURN n * 2",
        "routine `function doubled` has deterministic NO, expected YES",
    ),
    (
        "ALTER PROCEDURE clean READS SQL DATA",
        "routine `procedure clean` has data access READS SQL DATA, expected CONTAINS SQL",
    ),
    (
        "ALTER PROCEDURE clean SQL SECURITY INVOKER",
        "routine `procedure clean` has security INVOKER, expected DEFINER",
    ),
    (
        "ALTER PROCEDURE clean COMMENT 'weekly'",
        "routine `procedure clean` has comment weekly, expected nightly",
    ),
    ("DROP PROCEDURE clean", "routine `procedure clean` is missing"),
    (
        "ALTER EVENT nightly ON SCHEDULE EVERY 2 DAY",
        "event `nightly` has schedule EVERY 2 DAY, expected EVERY 1 DAY",
    ),
    (
        "ALTER EVENT nightly DISABLE",
        "event `nightly` has status DISABLED, expected ENABLED",
    ),
    ("DROP EVENT nightly", "event `nightly` is missing"),
    (
        "ALTER DATABASE COLLATE utf8mb4_bin",
        "schema has collation utf8mb4_bin, expected utf8mb4_general_ci",
    ),
    (
        "SET sql_mode = 'ANSI_QUOTES'; CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2",
        "routine `function doubled` has sql mode ANSI_QUOTES, expected STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
    ),
];

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
    let suite = Suite::new(Server::Mariadb, TABLES, MUTATIONS, &[]);
    suite.check();
    suite.harmless(HARMLESS);
}
