use assoc_core::{BelongsTo, HasMany, HasManyThrough};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct Reader {
    id: i64,
    #[has_many]
    bookmarks: HasMany<Bookmark>,
    #[has_many(through = "bookmarks", source = "target")]
    posts: HasManyThrough<Post>,
    #[has_many(through = "bookmarks", source = "label", source_type = "Label")]
    labels: HasManyThrough<Label>,
}

#[derive(Model, Clone)]
struct Bookmark {
    id: i64,
    reader_id: i64,
    target_id: i64,
    target_type: String,
    label_id: i64,
    #[belongs_to(polymorphic)]
    target: BelongsTo<Target>,
    #[belongs_to]
    label: BelongsTo<Label>,
}

#[derive(Polymorphic, Clone)]
enum Target {
    Post(Post),
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
}

#[derive(Model, Clone)]
struct Label {
    id: i64,
}

fn main() {}
