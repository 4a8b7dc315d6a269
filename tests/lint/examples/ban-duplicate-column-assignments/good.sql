UPDATE orders SET note = 'a', total = 1 WHERE id = 1;
