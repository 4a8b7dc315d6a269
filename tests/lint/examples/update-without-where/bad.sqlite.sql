UPDATE orders SET note = (SELECT name FROM other WHERE other.id = orders.id);
