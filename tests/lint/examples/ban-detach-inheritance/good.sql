CREATE TABLE orders_2021 () INHERITS (orders);
