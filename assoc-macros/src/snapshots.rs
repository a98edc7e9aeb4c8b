//! What the derives write, formatted and compared with what they wrote last time: the reviewable face of a change to
//! [`expand`](crate::expand).

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::Root;
use crate::{expand_column_type, expand_model, expand_polymorphic};

fn formatted(code: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(code).expect("the derives write items"))
}

#[track_caller]
fn assert_code(name: &str, code: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, code));
}

fn model(input: TokenStream) -> String {
    formatted(expand_model(input, Root::Core))
}

#[test]
fn plain() {
    assert_code(
        "plain",
        &model(quote! {
            pub struct Country {
                pub id: i64,
                pub name: String,
                population: Option<u64>,
                #[model(skip)]
                pub flag: Vec<u8>,
            }
        }),
    );
}

#[test]
fn renamed_columns_and_composite_key() {
    assert_code(
        "renamed_columns_and_composite_key",
        &model(quote! {
            #[model(table = "blog.taggings", primary_key = "post_id, tag")]
            pub struct Tagging {
                #[column(name = "article_id")]
                pub post_id: i64,
                #[column(name = "tag_name", length = 40)]
                pub tag: String,
                #[column(default)]
                pub created_at: Option<String>,
                #[column(default = "'manual'")]
                pub r#type: String,
                #[has_many(foreign_key = "post_id, tag")]
                pub votes: HasMany<Vote>,
            }
        }),
    );
}

#[test]
fn optional_belongs_to() {
    assert_code(
        "optional_belongs_to",
        &model(quote! {
            pub struct Post {
                pub id: i64,
                pub author_id: Option<i64>,
                pub shop_id: i64,
                pub order_number: i64,
                #[belongs_to]
                pub author: BelongsTo<Option<User>>,
                #[belongs_to(foreign_key = "shop_id, order_number")]
                order: BelongsTo<Order>,
            }
        }),
    );
}

#[test]
fn self_join() {
    assert_code(
        "self_join",
        &model(quote! {
            struct Employee {
                id: i64,
                manager_id: Option<i64>,
                #[belongs_to]
                manager: BelongsTo<Option<Employee>>,
                #[has_many(foreign_key = "manager_id")]
                subordinates: HasMany<Employee>,
            }
        }),
    );
}

#[test]
fn custom_keys() {
    assert_code(
        "custom_keys",
        &model(quote! {
            #[model(crate = "crate::orm", auto_increment = false)]
            pub struct Company {
                pub id: i64,
                pub code: String,
                #[has_many(primary_key = "code", foreign_key = "company_code")]
                pub invoices: HasMany<billing::Invoice>,
                #[has_one]
                pub address: HasOne<Option<Address>>,
            }
        }),
    );
}

#[test]
fn newtype() {
    let input = quote! {
        #[column_type(key)]
        pub struct UserId(i64);
    };
    assert_code("newtype", &formatted(expand_column_type(input, Root::Repo)));
}

#[test]
fn through() {
    assert_code(
        "through",
        &model(quote! {
            pub struct User {
                pub id: i64,
                #[has_many(through = "memberships")]
                pub groups: HasManyThrough<Group>,
                #[has_many]
                memberships: HasMany<Membership>,
                #[has_many(through = "memberships", source = "item", source_type = "post")]
                posts: HasManyThrough<Post>,
                #[has_one]
                account: HasOne<Account>,
                #[has_one(through = "account")]
                history: HasOne<Option<History>>,
            }
        }),
    );
}

#[test]
fn join_table() {
    assert_code(
        "join_table",
        &model(quote! {
            pub struct Post {
                pub id: i64,
                #[has_and_belongs_to_many]
                pub tags: HasAndBelongsToMany<Tag>,
                #[has_and_belongs_to_many(
                    join_table = "blog.links",
                    foreign_key = "from_id",
                    association_foreign_key = "to_id",
                )]
                links: HasAndBelongsToMany<Post>,
            }
        }),
    );
}

#[test]
fn join_rows() {
    assert_code(
        "join_rows",
        &model(quote! {
            pub struct Post {
                pub id: i64,
                #[has_and_belongs_to_many]
                pub tags: HasAndBelongsToMany<Tag, PostTag>,
                #[has_and_belongs_to_many(
                    join_table = "blog.links",
                    foreign_key = "from",
                    association_foreign_key = "shelf, number",
                )]
                places: HasAndBelongsToMany<Place, Link>,
                #[has_and_belongs_to_many]
                groups: HasAndBelongsToMany<Group, ()>,
            }
        }),
    );
}

#[test]
fn polymorphic() {
    let input = quote! {
        pub enum Imageable {
            Employee(Employee),
            #[polymorphic(tag = "product")]
            NewProduct(shop::Product),
        }
    };
    assert_code("polymorphic_enum", &formatted(expand_polymorphic(input, Root::Core)));
    assert_code(
        "polymorphic",
        &model(quote! {
            pub struct Picture {
                pub id: i64,
                imageable_id: i64,
                imageable_type: String,
                #[belongs_to(polymorphic)]
                pub imageable: BelongsTo<Option<Imageable>>,
                #[has_many(as = "subject", tag = "picture", inverse_of = "subject")]
                pub notes: HasMany<Note>,
            }
        }),
    );
}

#[test]
fn options() {
    assert_code(
        "options",
        &model(quote! {
            #[model(default_scope = published, discriminator = "kind", tag = "blog")]
            pub struct Post {
                pub id: i64,
                kind: String,
                origin: RowOrigin,
                #[has_many(
                    scope = Comment::visible,
                    filter = Comment::SPAM.eq(false),
                    order = [Comment::ID.desc()],
                    limit = 3,
                    offset = 1,
                    scope_by_owner = Comment::in_time,
                    readonly,
                    inverse_of = false,
                    include = Comment::AUTHOR,
                )]
                comments: HasMany<Comment>,
                #[has_one(order = Comment::ID.asc(), inverse_of = "post")]
                first: HasOne<Option<Comment>>,
            }
        }),
    );
}

#[test]
fn deprecated_and_without_accessor() {
    assert_code(
        "deprecated_and_without_accessor",
        &model(quote! {
            pub struct User {
                pub id: i64,
                #[deprecated(note = "read `articles`")]
                #[has_many]
                pub posts: HasMany<Post>,
                #[has_and_belongs_to_many(accessor = false)]
                pub groups: HasAndBelongsToMany<Group, Membership>,
            }
        }),
    );
}

#[test]
fn keys_of_types() {
    assert_code(
        "keys_of_types",
        &formatted(expand_polymorphic(
            quote! {
                pub enum Spot {
                    #[polymorphic(primary_key = "room, code", tag = "locker")]
                    Locker(Locker),
                    Rack(Rack),
                }
            },
            Root::Core,
        )),
    );
}

#[test]
fn sql_of_its_own() {
    assert_code(
        "sql_of_its_own",
        &model(quote! {
            pub struct Member {
                pub id: i64,
                #[has_many(finder_sql = mentions, order = Message::ID.asc())]
                pub mentions: HasMany<Message>,
                #[has_many(finder_sql = "sql::popular", counter_sql = "sql::count_popular")]
                pub popular: HasMany<Message>,
                #[has_and_belongs_to_many(finder_sql = tags_of)]
                pub tags: HasAndBelongsToMany<Tag>,
            }
        }),
    );
}

#[test]
fn with_mistakes() {
    assert_code(
        "with_mistakes",
        &model(quote! {
            pub struct User {
                pub id: i64,
                #[belongs_to]
                pub company: BelongsTo<Company>,
            }
        }),
    );
}
