-- By what customers are found: words of names, e-mail addresses, numbers; phones with their digits reversed, so that a suffix is a prefix.
CREATE TABLE {schema}.terms (
    customer_id uuid NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    term        text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, kind, term)
);

CREATE INDEX terms_by_term ON {schema}.terms (kind, term, customer_id);
