use assoc_core::{BelongsTo, HasMany, HasManyThrough};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct Picture {
    id: i64,
    subject_id: i64,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
    #[belongs_to(polymorphic = true, foreign_key = "id", foreign_type = "subject_typ")]
    valued: BelongsTo<Subject>,
    #[belongs_to(polymorphic, primary_key = "id", filter = 1, inverse_of = "pictures", foreign_type = "subject_id")]
    about: BelongsTo<Subject>,
    about_id: i64,
    #[belongs_to(foreign_type = "id", foreign_key = "id", unknown_type = "not_loaded")]
    plain: BelongsTo<Picture>,
    #[belongs_to(polymorphic, foreign_key = "id", foreign_type = "name", unknown_type = "ignore")]
    ignored: BelongsTo<Subject>,
    name: String,
    #[belongs_to(as = "subject", foreign_key = "id")]
    other_side: BelongsTo<Picture>,
    #[has_many(polymorphic, foreign_key = "id")]
    this_side: HasMany<Picture>,
    #[has_many(foreign_key = "id", tag = "Picture", foreign_type = "subject_type")]
    no_as: HasMany<Picture>,
    #[has_many(through = "about")]
    behind: HasManyThrough<Picture>,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    Picture(Picture),
}

#[derive(Polymorphic, Clone)]
struct NoEnum(Picture);

#[derive(Polymorphic, Clone)]
enum Nothing {}

#[derive(Polymorphic, Clone)]
enum Generic<T> {
    Picture(T),
}

#[derive(Polymorphic, Clone)]
enum Variants {
    Unit,
    Two(Picture, Picture),
    Named { picture: Picture },
    Picture(Picture),
    Again(Picture),
    #[polymorphic(tag = "Picture")]
    Tagged(Other),
    #[polymorphic(name = "x")]
    Unknown(Third),
    URL(Fourth),
}

#[derive(Polymorphic, Clone)]
enum Keys {
    #[polymorphic(primary_key = "")]
    Other(Other),
    #[polymorphic(tag = "third", primary_key = "a, a")]
    Third(Third),
    #[polymorphic(primary_key)]
    Fourth(Fourth),
}

#[derive(Model, Clone)]
struct Other {
    id: i64,
}

#[derive(Model, Clone)]
struct Third {
    id: i64,
}

#[derive(Model, Clone)]
struct Fourth {
    id: i64,
}

fn main() {
    let _ = Variants::PICTURE;
}
