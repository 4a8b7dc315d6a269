CREATE TABLE public.lines (id bigint);
