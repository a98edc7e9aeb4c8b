//! A league whose tables refuse what rows alone do not show: unique indexes with names of their own, foreign keys, NOT NULL
//! and CHECK.

use assoc_core::Result;
use assoc_repo::FieldError;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Rules of every kind of constraint.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "teams", auto_increment = false, rules = Self::rules)]
pub struct Team {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
    #[column(length = 40)]
    pub region: String,
    pub rank: Option<i64>,
    #[column(length = 40)]
    pub motto: Option<String>,
    #[has_many]
    pub players: HasMany<Player>,
    #[has_one]
    pub stadium: HasOne<Option<Stadium>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "players", auto_increment = false, rules = Self::rules)]
pub struct Player {
    pub id: i64,
    pub team_id: Option<i64>,
    pub number: i64,
    #[column(length = 40)]
    pub name: String,
    pub coach_id: Option<i64>,
    #[belongs_to]
    pub team: BelongsTo<Option<Team>>,
    #[belongs_to]
    pub coach: BelongsTo<Option<Coach>>,
}

/// No rules: what the database refuses stays the database's error.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "coaches", auto_increment = false)]
pub struct Coach {
    pub id: i64,
    #[column(length = 40)]
    pub name: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stadiums", auto_increment = false, rules = Self::rules)]
pub struct Stadium {
    pub id: i64,
    pub team_id: Option<i64>,
    #[column(length = 40)]
    pub name: String,
}

impl Team {
    fn rules(rules: Rules<Team>) -> Rules<Team> {
        rules
            .length(Team::NAME, 2..=10)
            .unique((Team::NAME, Team::REGION))
            .message("plays in this region already")
            .check("rank_is_positive", Team::RANK)
            .range(Team::RANK, ..=100)
            .required(Team::MOTTO)
            .message("needs some words")
            .members(Team::PLAYERS, ..=3)
    }
}

impl Player {
    fn rules(rules: Rules<Player>) -> Rules<Player> {
        rules
            .unique((Player::TEAM_ID, Player::NUMBER))
            .exists(Player::COACH)
            .message("is nobody we know")
            .length(Player::NAME, 1..)
            .row((Player::NUMBER, Player::NAME), |player| {
                let is_captain = player.get(Player::NAME)?.starts_with("Captain");
                (is_captain && player.get(Player::NUMBER)? != 1)
                    .then(|| FieldError::new("number", "of a captain is 1").with_code("captain"))
            })
    }
}

impl Stadium {
    fn rules(rules: Rules<Stadium>) -> Rules<Stadium> {
        rules.unique(Stadium::NAME).code("name_taken")
    }
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    // A reserved word on MySQL.
    let mut rank = String::new();
    repo.dialect().quote("rank", &mut rank);
    let teams = format!(
        "CREATE TABLE teams (id BIGINT PRIMARY KEY, name VARCHAR(40) NOT NULL, region VARCHAR(40) NOT NULL, {rank} BIGINT NULL, \
         motto VARCHAR(40) NULL, CONSTRAINT rank_is_positive CHECK ({rank} > 0))"
    );
    repo.execute_raw(&teams, []).await?;
    for sql in [
        "CREATE UNIQUE INDEX one_team_a_region ON teams (region, name)",
        "CREATE TABLE coaches (id BIGINT PRIMARY KEY, name VARCHAR(40) NOT NULL)",
        "CREATE TABLE players (id BIGINT PRIMARY KEY, team_id BIGINT NULL, number BIGINT NOT NULL, name VARCHAR(40) NOT NULL, \
         coach_id BIGINT NULL, FOREIGN KEY (team_id) REFERENCES teams (id), FOREIGN KEY (coach_id) REFERENCES coaches (id))",
        "CREATE UNIQUE INDEX shirts ON players (team_id, number)",
        "CREATE TABLE stadiums (id BIGINT PRIMARY KEY, team_id BIGINT NULL, name VARCHAR(40) NOT NULL)",
        "CREATE UNIQUE INDEX stadium_names ON stadiums (name)",
        "INSERT INTO coaches (id, name) VALUES (1, 'Kim')",
        "INSERT INTO teams (id, name, region, motto) VALUES (1, 'Owls', 'north', 'by night')",
        "INSERT INTO players (id, team_id, number, name, coach_id) VALUES (1, 1, 1, 'Captain Ada', 1), (2, 1, 2, 'Bob', NULL)",
        "INSERT INTO stadiums (id, team_id, name) VALUES (1, 1, 'Nest')",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
