CREATE TABLE unpaid_orders (id bigint);
