CREATE TABLE shops (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    slug VARCHAR(40) NOT NULL UNIQUE,
    name VARCHAR(120) NOT NULL
);

CREATE TABLE categories (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    shop_id BIGINT NOT NULL,
    parent_id BIGINT,
    name VARCHAR(120) NOT NULL,
    FOREIGN KEY (shop_id) REFERENCES shops (id),
    FOREIGN KEY (parent_id) REFERENCES categories (id)
);
CREATE INDEX categories_by_shop ON categories (shop_id);
CREATE INDEX categories_by_parent ON categories (parent_id);

CREATE TABLE products (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    shop_id BIGINT NOT NULL,
    category_id BIGINT,
    sku VARCHAR(40) NOT NULL,
    name VARCHAR(120) NOT NULL,
    price DECIMAL(12, 2) NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'active',
    reviews_count BIGINT NOT NULL DEFAULT 0,
    deleted_at DATETIME(6),
    UNIQUE (shop_id, sku),
    FOREIGN KEY (shop_id) REFERENCES shops (id),
    FOREIGN KEY (category_id) REFERENCES categories (id)
);
CREATE INDEX products_by_name ON products (shop_id, name, id);
CREATE INDEX products_by_price ON products (shop_id, price, id);
CREATE INDEX products_by_category ON products (category_id);

CREATE TABLE tags (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    shop_id BIGINT NOT NULL,
    name VARCHAR(120) NOT NULL,
    UNIQUE (shop_id, name),
    FOREIGN KEY (shop_id) REFERENCES shops (id)
);

CREATE TABLE products_tags (
    product_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    PRIMARY KEY (product_id, tag_id),
    FOREIGN KEY (product_id) REFERENCES products (id),
    FOREIGN KEY (tag_id) REFERENCES tags (id)
);
CREATE INDEX products_tags_by_tag ON products_tags (tag_id);

CREATE TABLE stocks (
    product_id BIGINT PRIMARY KEY,
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    FOREIGN KEY (product_id) REFERENCES products (id)
);
