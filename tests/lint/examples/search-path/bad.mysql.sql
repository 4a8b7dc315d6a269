USE shop_acme;
