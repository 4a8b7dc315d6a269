CREATE TABLE order_states (order_id bigint, state text);
