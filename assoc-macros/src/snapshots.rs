//! What the derives write, formatted and compared with what they wrote last time: the reviewable face of a change to
//! [`expand`](crate::expand).

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::Root;
use crate::{expand_column_type, expand_model};

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
