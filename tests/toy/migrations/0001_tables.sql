create table if not exists brands (
    id varchar(36) primary key,
    title text not null,
    opened_on date
);

create table if not exists orders (
    id varchar(36) primary key,
    brand_id varchar(36) not null references brands (id),
    status varchar(20) not null default 'new',
    tags text [] not null default '{}',
    price numeric(10, 2),
    weight double precision,
    paid_at timestamp(3) without time zone
);

create table if not exists events (
    id bigint generated always as identity primary key,
    brand_id varchar(36) not null,
    "order" varchar(36) references orders (id),
    happened_at timestamp not null default now()
);
