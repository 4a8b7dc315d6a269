CREATE TABLE public.countries (code text);
