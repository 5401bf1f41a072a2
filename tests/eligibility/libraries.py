"""A small library that the tests of this room share, and one made around a single condition."""

from __future__ import annotations

from datetime import date

from shouwang.eligibility import Library, Program, library_of
from shouwang.eligibility.checking import checked
from shouwang.eligibility.form import Node
from shouwang.eligibility.library import Entry, Version

DAY = date(2024, 7, 1)
TEXT = """
事实:
  年龄: {类型: 数值, 可变: 否}
  无劳动能力: {类型: 是否, 可变: 否}
  人均月收入: {类型: 数值, 代价: 3}
参数:
  低保线:
    单位: 元/月
    版本:
      - {自: 2023-07-01, 值: 800}
      - {自: 2024-07-01, 值: 850}
      - {自: 2024-01-01, 至: 2025-01-01, 地区: 城关镇, 值: 900}
      - {自: 2024-01-01, 地区: 东昌府区, 值: 880}
定义:
  低收入: {条: "人均月收入 < 低保线", 据: 暂行办法 第九条}
政策:
  特困: {全部: [无劳动能力, 低收入], 金额: 1300, 据: 特困办法}
  低保: {自: 2021-07-01, 据: 审核确认办法, 全部: [本地户籍, 低收入, {非: 特困}], 金额: "低保线 - 人均月收入", 让位于: 特困}
  高龄津贴:
    据: 山东老年条例 第三十一条
    版本:
      - {自: 2020-01-01, 至: 2022-01-01, 条: 年龄 >= 90}
      - {自: 2022-01-01, 条: 年龄 >= 80, 金额: [{条: 年龄 >= 90, 值: 200}, {值: 100}]}
  护理补贴: {条: 失能等级 >= 2, 金额: 170, 不同享: 失能补贴}
  失能补贴: {条: 失能等级 >= 1, 金额: 120}
"""


def small() -> Library:
    return library_of(TEXT)


def program(*, day: date = DAY, area: tuple[str, ...] = ()) -> Program:
    return small().at(day, area)


def around(*conditions: Node) -> Program:
    """Return a program of policies p0, p1 … with these conditions."""
    policies = {f"p{n}": Entry(f"p{n}", (Version(each),)) for n, each in enumerate(conditions)}
    return checked(Library({}, {}, {}, policies)).at(DAY)
