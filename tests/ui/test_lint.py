"""The lint of templates and wording finds each thing it is for, and the project's own are in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from shouwang.ui.lint import check_all, check_template, check_words, main

FILE = Path("x.html")
GOOD = [
    '{% extends "ui/base.html" %}{% block main %}<h1>{% t "区划" "Areas" %}</h1>{% include "web/_x.html" with a=b %}{% endblock %}',
    "{% extends frame %}",
    '<label for="a">{% t "名称" "Name" %}</label><input id="a" name="a">',
    '<label>{% t "名称" "Name" %} <select name="a"></select></label>',
    '<input type="hidden" name="a"><input type="submit" value="{% t "去" "Go" %}">',
    '<textarea name="a" aria-labelledby="h"></textarea><h2 id="h"></h2>',
    '{% for each in rows %}<label for="f{{ each.id }}">{{ each.name }}</label><input id="f{{ each.id }}">{% endfor %}',
    '{% if a %}<p id="x"></p>{% else %}<p id="x"></p>{% endif %}',
    '{% if a %}<p id="x"></p>{% elif b %}<p id="x"></p>{% endif %}',
    '<form method="post">{% csrf_token %}</form>',
    '<script type="module" src="{% static "ui/x.js" %}"></script>',
    '<button lang="zh-CN">中文</button><kbd>Ctrl</kbd><code>POST /api</code>',
    '<p title="{% t "红" "Red" %}" class="a{% if b %} c{% endif %}">{{ name }} · 12 / 3</p>',
    '{% t "共 {n} 条" "{n} in all" n=3 %}',
    "{# 中文的注释 and English #}",
]
BAD = [
    ('{% extends "cases/base.html" %}', "own room"),
    ('{% include "people/_x.html" %}', "own room"),
    ("{% include name %}", "name the template"),
    ("{% extends other %}", "name the template"),
    ('<p style="color: red"></p>', "nothing inline"),
    ("<style>p { color: red }</style>", "nothing inline"),
    ("<script>alert(1)</script>", "nothing inline"),
    ('<p onclick="go()"></p>', "nothing inline"),
    ('<p hx-on:click="go()"></p>', "nothing inline"),
    ('<a href="javascript:go()"></a>', "nothing inline"),
    ("{{ name|safe }}", "escaped"),
    ("{% autoescape off %}{% endautoescape %}", "escaped"),
    ('<input name="a">', "no label"),
    ('<label for="b">{% t "名" "Name" %}</label><input id="a" name="a">', "no label"),
    ('<select name="a"></select>', "no label"),
    ('{% for each in rows %}<label for="f{{ each.id }}"></label><input id="g{{ each.id }}">{% endfor %}', "no label"),
    ("<p>名称</p>", "both languages"),
    ("<p>Name</p>", "both languages"),
    ('<input type="hidden" title="名称">', "both languages"),
    ('<img src="a">', "no alt"),
    ('<p id="x"></p><p id="x"></p>', "there twice"),
    ('{% if a %}<p id="x"></p>{% endif %}<p id="x"></p>', "there twice"),
    ('{% if a %}<p id="x"></p>{% endif %}{% if b %}<p id="x"></p>{% endif %}', "there twice"),
    ('{% for each in rows %}<p id="x"></p>{% endfor %}', "in a loop"),
    ('<form method="post"></form>{% csrf_token %}', "csrf_token"),
    ('{% t "名称" "名称" %}', "holds Chinese"),
    ('{% t "Name" "Title" %}', "holds none"),
    ('{% t "共 {n} 条" "{m} in all" n=3 %}', "different things"),
    ('{% t "共 {n} 条" "{n} in all" %}', "lacks n"),
]


@pytest.mark.parametrize("source", GOOD)
def test_what_is_in_order_is_left_alone(source: str) -> None:
    assert check_template(source, file=FILE, room="web") == []


@pytest.mark.parametrize(("source", "says"), BAD)
def test_each_fault_is_found_once_and_named(source: str, says: str) -> None:
    faults = check_template("\n\n" + source, file=FILE, room="web")
    assert [says in fault.text for fault in faults] == [True]
    assert faults[0].line == 3


WORDS = [
    ('Text("名称", "Name")', 0), ('Text("共 {n} 条", "{n} in all")', 0), ('Text("", "")', 0), ('Text("SMS", "SMS")', 0),
    ('Text("名称", "名称")', 1), ('Text("Name", "Title")', 1), ('Text("共 {n} 条", "{m} in all")', 1), ('Phrase("平安", "平安")', 1),
    ('Text(f"{n} 分钟前", f"{n} min ago")', 0), ('Text("守望 · {zh}", "Shouwang · {en}")', 0), ('Other("名称", "名称")', 0),
]


@pytest.mark.parametrize(("source", "count"), WORDS)
def test_the_two_languages_of_a_text_fit_each_other(source: str, count: int) -> None:
    assert len(check_words(source, file=Path("x.py"))) == count


def test_the_projects_own_templates_and_words_are_in_order() -> None:
    assert [str(fault) for fault in check_all()] == []


def test_the_command_fails_when_something_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "room" / "templates" / "room"
    folder.mkdir(parents=True)
    (folder / "a.html").write_text("<p>名称</p>", "utf-8")
    assert main([str(tmp_path)]) == 1
    assert "a.html:1:" in capsys.readouterr().out
    (folder / "a.html").write_text('<p>{% t "名称" "Name" %}</p>', "utf-8")
    assert main([str(tmp_path)]) == 0
