DELETE o FROM orders o JOIN old ON old.id = o.id;
