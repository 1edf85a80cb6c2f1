alter table events add column if not exists lost_order varchar(36);
