CREATE TABLE shops (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
);

CREATE TABLE categories (
    id INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id),
    parent_id INTEGER REFERENCES categories (id),
    name TEXT NOT NULL
);
CREATE INDEX categories_by_shop ON categories (shop_id);
CREATE INDEX categories_by_parent ON categories (parent_id);

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id),
    category_id INTEGER REFERENCES categories (id),
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    price TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active',
    reviews_count INTEGER NOT NULL DEFAULT 0,
    deleted_at TEXT,
    UNIQUE (shop_id, sku)
);
CREATE INDEX products_by_name ON products (shop_id, name, id);
CREATE INDEX products_by_price ON products (CAST(price AS REAL));
CREATE INDEX products_by_category ON products (category_id);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id),
    name TEXT NOT NULL,
    UNIQUE (shop_id, name)
);

CREATE TABLE products_tags (
    product_id INTEGER NOT NULL REFERENCES products (id),
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (product_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX products_tags_by_tag ON products_tags (tag_id);

CREATE TABLE stocks (
    product_id INTEGER PRIMARY KEY REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity >= 0)
);
