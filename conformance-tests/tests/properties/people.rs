//! Models around people and posts: every kind of association over integer keys, and every option.

use assoc_repo::prelude::*;

use crate::marks::{Image, Note, SpecialNote, Tag, Tagging};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) rank: Option<i64>,
    pub(crate) manager_id: Option<i64>,
    pub(crate) team_id: Option<i64>,
    #[belongs_to]
    pub(crate) manager: BelongsTo<Option<User>>,
    #[has_many(foreign_key = "manager_id")]
    pub(crate) reports: HasMany<User>,
    #[belongs_to]
    pub(crate) team: BelongsTo<Option<Team>>,
    #[has_one]
    pub(crate) profile: HasOne<Option<Profile>>,
    #[has_one(foreign_key = "user_id", order = [Post::RANK.desc(), Post::TITLE.asc()])]
    pub(crate) top_post: HasOne<Option<Post>>,
    #[has_many]
    pub(crate) posts: HasMany<Post>,
    #[has_many(filter = Post::PUBLISHED.eq(true))]
    pub(crate) published_posts: HasMany<Post>,
    #[has_many(order = Post::RANK.desc(), limit = 2)]
    pub(crate) best_posts: HasMany<Post>,
    #[has_many(order = Post::TITLE.asc(), limit = 2, offset = 1)]
    pub(crate) later_posts: HasMany<Post>,
    #[has_many(offset = 1)]
    pub(crate) further_posts: HasMany<Post>,
    #[has_many(include = Post::COMMENTS)]
    pub(crate) whole_posts: HasMany<Post>,
    #[has_many(scope = drafts)]
    pub(crate) drafts: HasMany<Post>,
    #[has_many]
    pub(crate) comments: HasMany<Comment>,
    #[has_many]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub(crate) groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", distinct, order = Group::NAME.desc())]
    pub(crate) distinct_groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", limit = 2, offset = 1)]
    pub(crate) some_groups: HasManyThrough<Group>,
    #[has_many(through = "groups", source = "memberships")]
    pub(crate) fellow_memberships: HasManyThrough<Membership>,
    #[has_many(through = "fellow_memberships", source = "user", distinct)]
    pub(crate) fellows: HasManyThrough<User>,
    #[has_many(through = "fellows", source = "posts", order = Post::RANK.asc(), limit = 3)]
    pub(crate) fellow_posts: HasManyThrough<Post>,
    #[has_many(through = "posts", source = "comments")]
    pub(crate) received_comments: HasManyThrough<Comment>,
    #[has_many(through = "best_posts", source = "comments", order = Comment::RANK.desc())]
    pub(crate) best_comments: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "tags", distinct)]
    pub(crate) tags: HasManyThrough<Tag>,
    #[has_one(through = "profile", source = "badge")]
    pub(crate) badge: HasOne<Option<Badge>>,
    #[has_many(through = "profile", source = "badges")]
    pub(crate) badges: HasManyThrough<Badge>,
    #[has_one(through = "team", source = "lead")]
    pub(crate) team_lead: HasOne<Option<User>>,
    #[has_many(through = "team", source = "users")]
    pub(crate) team_users: HasManyThrough<User>,
    #[has_one(through = "profile", source = "badges", order = Badge::LEVEL.asc())]
    pub(crate) lowest_badge: HasOne<Option<Badge>>,
    #[has_and_belongs_to_many(join_table = "users_skills")]
    pub(crate) skills: HasAndBelongsToMany<Skill>,
    #[has_and_belongs_to_many(join_table = "users_skills", order = Skill::NAME.desc(), limit = 2)]
    pub(crate) last_skills: HasAndBelongsToMany<Skill>,
    #[has_and_belongs_to_many(
        join_table = "friends",
        foreign_key = "this_id",
        association_foreign_key = "other_id",
        distinct
    )]
    pub(crate) friends: HasAndBelongsToMany<User>,
    // The same tables with their rows.
    #[has_and_belongs_to_many]
    pub(crate) joined_skills: HasAndBelongsToMany<Skill, UserSkill>,
    #[has_and_belongs_to_many(order = Skill::NAME.desc(), limit = 2, offset = 1)]
    pub(crate) some_joined_skills: HasAndBelongsToMany<Skill, UserSkill>,
    #[has_and_belongs_to_many(scope_by_owner = skills_by_name)]
    pub(crate) own_joined_skills: HasAndBelongsToMany<Skill, UserSkill>,
    #[has_and_belongs_to_many(foreign_key = "this_id", association_foreign_key = "other_id", distinct)]
    pub(crate) joined_friends: HasAndBelongsToMany<User, Friendship>,
    #[has_many(through = "joined_friends", source = "joined_skills")]
    pub(crate) joined_friends_skills: HasManyThrough<Skill>,
    #[has_and_belongs_to_many(join_table = "users_skills", order = Skill::NAME.desc())]
    pub(crate) skills_by_name: HasAndBelongsToMany<Skill>,
    #[has_many(through = "skills_by_name", source = "posts")]
    pub(crate) skilled_posts: HasManyThrough<Post>,
    #[has_many(through = "friends", source = "skills")]
    pub(crate) friends_skills: HasManyThrough<Skill>,
    #[has_many(scope_by_owner = posts_by_rank)]
    pub(crate) own_posts: HasMany<Post>,
    #[has_many(through = "own_posts", source = "comments")]
    pub(crate) own_comments: HasManyThrough<Comment>,
    #[has_many(through = "memberships", source = "group", scope_by_owner = groups_by_rank)]
    pub(crate) own_groups: HasManyThrough<Group>,
    #[has_and_belongs_to_many(join_table = "users_skills", scope_by_owner = skills_by_name)]
    pub(crate) own_skills: HasAndBelongsToMany<Skill>,
    #[has_one(through = "profile", source = "badges", scope_by_owner = badges_by_rank)]
    pub(crate) own_badge: HasOne<Option<Badge>>,
    #[has_many(as = "imageable")]
    pub(crate) images: HasMany<Image>,
    #[has_one(as = "imageable", order = Image::RANK.desc())]
    pub(crate) avatar: HasOne<Option<Image>>,
    #[has_many]
    pub(crate) notes: HasMany<Note>,
    #[has_many(scope = all_notes)]
    pub(crate) all_notes: HasMany<Note>,
    #[has_many]
    pub(crate) special_notes: HasMany<SpecialNote>,
    #[has_many(foreign_key = "user_email", primary_key = "email")]
    pub(crate) logins: HasMany<Login>,
    #[has_many(scope = without_rank)]
    pub(crate) post_titles: HasMany<Post>,
    #[has_many(scope = first_of_each_rank)]
    pub(crate) rank_firsts: HasMany<Post>,
    #[has_many(through = "rank_firsts", source = "comments")]
    pub(crate) first_comments: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "comments", scope = of_each_author)]
    pub(crate) comment_authors: HasManyThrough<Comment>,
    #[has_many(through = "post_titles", source = "comments")]
    pub(crate) title_comments: HasManyThrough<Comment>,
}

fn without_rank(posts: Scope<Post>) -> Scope<Post> {
    posts.select((Post::ID, Post::USER_ID, Post::TITLE, Post::PUBLISHED))
}

fn posts_by_rank(user: &User, posts: Scope<Post>) -> Scope<Post> {
    match user.rank {
        None => posts,
        Some(0) => posts.filter(Post::PUBLISHED.eq(true)).order_by(Post::TITLE.desc()),
        Some(rank) => posts.filter(Post::RANK.ne(rank)).order_by(Post::RANK.desc()).limit(2),
    }
}

fn groups_by_rank(user: &User, groups: Scope<Group>) -> Scope<Group> {
    match user.rank {
        None => groups.filter(Group::ID.gt(0)),
        Some(0) => groups.distinct(),
        Some(_) => groups.order_by(Group::NAME.desc()).limit(2),
    }
}

fn skills_by_name(user: &User, skills: Scope<Skill>) -> Scope<Skill> {
    if user.name == "A" { skills.order_by(Skill::NAME.asc()) } else { skills.filter(Skill::NAME.ne(user.name.clone())) }
}

fn badges_by_rank(user: &User, badges: Scope<Badge>) -> Scope<Badge> {
    if user.rank.is_some() { badges.order_by(Badge::LEVEL.desc()) } else { badges.offset(1) }
}

fn drafts(posts: Scope<Post>) -> Scope<Post> {
    posts.filter(Post::PUBLISHED.eq(false)).order_by(Post::RANK.asc()).limit(2)
}

fn all_notes(notes: Scope<Note>) -> Scope<Note> {
    notes.unscoped()
}

fn first_of_each_rank(posts: Scope<Post>) -> Scope<Post> {
    posts.group_by((Post::RANK, Post::PUBLISHED)).order_by(Post::TITLE.desc()).limit(3)
}

fn of_each_author(comments: Scope<Comment>) -> Scope<Comment> {
    comments.group_by(Comment::USER_ID)
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "teams")]
pub(crate) struct Team {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) lead_id: Option<i64>,
    #[belongs_to]
    pub(crate) lead: BelongsTo<Option<User>>,
    #[has_many]
    pub(crate) users: HasMany<User>,
    #[has_many(through = "users")]
    pub(crate) posts: HasManyThrough<Post>,
    #[has_many(through = "users", source = "own_posts")]
    pub(crate) own_posts: HasManyThrough<Post>,
    #[has_many(through = "users", source = "best_posts")]
    pub(crate) best_posts: HasManyThrough<Post>,
    #[has_many(through = "users", source = "best_posts", order = Post::TITLE.desc(), limit = 2)]
    pub(crate) two_best_posts: HasManyThrough<Post>,
    #[has_many(through = "users", source = "notes")]
    pub(crate) notes: HasManyThrough<Note>,
    #[has_many(through = "users", source = "distinct_groups")]
    pub(crate) groups: HasManyThrough<Group>,
    #[has_many(through = "users", source = "skills", distinct)]
    pub(crate) skills: HasManyThrough<Skill>,
    #[has_many(through = "users", source = "rank_firsts")]
    pub(crate) rank_firsts: HasManyThrough<Post>,
    #[has_many(as = "taggable", tag = "crew")]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(as = "imageable")]
    pub(crate) images: HasMany<Image>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "profiles")]
pub(crate) struct Profile {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) title: String,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[has_one]
    pub(crate) badge: HasOne<Option<Badge>>,
    #[has_many(order = Badge::LEVEL.desc())]
    pub(crate) badges: HasMany<Badge>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "badges")]
pub(crate) struct Badge {
    pub(crate) id: i64,
    pub(crate) profile_id: i64,
    pub(crate) level: i64,
    #[belongs_to]
    pub(crate) profile: BelongsTo<Profile>,
    #[has_one(through = "profile")]
    pub(crate) user: HasOne<Option<User>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) title: String,
    pub(crate) rank: Option<i64>,
    pub(crate) published: bool,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[has_many]
    pub(crate) comments: HasMany<Comment>,
    #[has_one(order = Comment::ID.desc())]
    pub(crate) last_comment: HasOne<Option<Comment>>,
    #[has_many(through = "comments", source = "user")]
    pub(crate) commenters: HasManyThrough<User>,
    #[has_many(as = "taggable")]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub(crate) tags: HasManyThrough<Tag>,
    #[has_many(as = "imageable")]
    pub(crate) images: HasMany<Image>,
    #[has_one(through = "user", source = "team")]
    pub(crate) user_team: HasOne<Option<Team>>,
    #[has_many(through = "user", source = "post_titles")]
    pub(crate) neighbour_titles: HasManyThrough<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) parent_id: Option<i64>,
    pub(crate) rank: i64,
    #[belongs_to]
    pub(crate) post: BelongsTo<Post>,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<Comment>>,
    #[has_many(foreign_key = "parent_id")]
    pub(crate) replies: HasMany<Comment>,
    #[has_many(through = "replies", source = "replies")]
    pub(crate) second_replies: HasManyThrough<Comment>,
    #[has_one(through = "post", source = "user")]
    pub(crate) post_user: HasOne<Option<User>>,
    #[has_many(as = "taggable")]
    pub(crate) taggings: HasMany<Tagging>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub(crate) struct Membership {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) group_id: Option<i64>,
    pub(crate) level: i64,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[belongs_to]
    pub(crate) group: BelongsTo<Option<Group>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "groups")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub(crate) users: HasManyThrough<User>,
    #[has_many(through = "memberships", source = "user", order = User::NAME.asc(), limit = 2, offset = 1)]
    pub(crate) some_users: HasManyThrough<User>,
    #[has_many(through = "memberships", source = "user", filter = User::RANK.gt(0))]
    pub(crate) ranked_users: HasManyThrough<User>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "skills")]
pub(crate) struct Skill {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many(join_table = "users_skills")]
    pub(crate) users: HasAndBelongsToMany<User>,
    // Links may be there twice, and then so is all that lies behind them.
    #[has_many(through = "users", source = "posts")]
    pub(crate) posts: HasManyThrough<Post>,
    #[has_many(through = "posts", source = "comments", limit = 3)]
    pub(crate) comments: HasManyThrough<Comment>,
    #[has_many(through = "users", source = "skills")]
    pub(crate) neighbours: HasManyThrough<Skill>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users_skills")]
pub(crate) struct UserSkill {
    pub(crate) user_id: Option<i64>,
    pub(crate) skill_id: Option<i64>,
}

/// Read in an order of its own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "friends", default_scope = known)]
pub(crate) struct Friendship {
    pub(crate) this_id: Option<i64>,
    pub(crate) other_id: Option<i64>,
}

fn known(friendships: Scope<Friendship>) -> Scope<Friendship> {
    friendships.filter(Friendship::OTHER_ID.ne(1)).order_by(Friendship::OTHER_ID.desc())
}

/// The rows of join tables beside the targets of these lead to them.
pub(crate) fn is_aligned(user: &User) -> bool {
    let skills = [&user.joined_skills, &user.some_joined_skills, &user.own_joined_skills];
    let mut skills = skills.into_iter().filter_map(|skills| Some((skills.loaded()?, skills.loaded_with_join_rows()?)));
    let friends = user.joined_friends.loaded_with_join_rows();
    skills.all(|(targets, mut pairs)| {
        targets.len() == pairs.len()
            && pairs.all(|(skill, row)| row.user_id == Some(user.id) && row.skill_id == Some(skill.id))
    }) && friends.is_none_or(|mut pairs| {
        pairs.all(|(friend, row)| row.this_id == Some(user.id) && row.other_id == Some(friend.id))
    })
}

/// Refers to a column that is neither the primary key nor unique.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "logins", default_scope = with_user)]
pub(crate) struct Login {
    pub(crate) id: i64,
    pub(crate) user_email: Option<String>,
    #[belongs_to(foreign_key = "user_email", primary_key = "email")]
    pub(crate) user: BelongsTo<Option<User>>,
}

fn with_user(logins: Scope<Login>) -> Scope<Login> {
    logins.preload(Login::USER)
}
