"""Plans in lines of text: what is read, what is refused, and that nothing gets lost in between."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfplan.intake.limits import Limits
from wfplan.intake.text_plans import TextPlan, read_text_plan
from wfplan.problems import Problem, ProblemList

Graph = Dict[str, List[str]]

LLM_COMPILER = """\
Here is the plan:
```
Thought: both cities first
1. search("Paris (France)")
2. search("Rome's ruins")

Thought: now the sum
Thought: of both
3. math("$1 + ${2}")
4. join()
<END_OF_PLAN>
```
It costs $5.
"""

TASK_WEAVER = """\
1. Load a.csv as dataframe
2. Load <b>.csv as dataframe
3. Ask which column to join <interactively depends on 1, 2>
4. Join the two <Sequential depend on step 3> dataframes
5) report the result to the user <interactively depends on 4 and 1> <interactive or sequential depend on #2>
"""

WORFBENCH = """\
The workflow is this.
Node:
1: go to the sink
2: take the cup: the red one
3: wash it
Edge: (START,1) (START, 2), (1,3)
(2,3) (3,end) (1,3)
\t
That is all there is.
"""


def read(text: str, **limits: int) -> Tuple[Optional[TextPlan], Tuple[Problem, ...]]:
    problems = ProblemList()
    plan = read_text_plan(text, problems, Limits(**limits))
    return plan, problems.listed()


def read_well(text: str) -> TextPlan:
    plan, problems = read(text)
    assert plan is not None
    assert problems == ()
    return plan


def graph_of(plan: TextPlan) -> Graph:
    return {item["id"]: item["dependencies"] for item in plan.items}


def test_calls_become_recommendations() -> None:
    plan = read_well(LLM_COMPILER)
    assert plan.form == "LLMCompiler"
    assert plan.items == [
        {
            "id": "1",
            "action": "search",
            "parameters": {"arguments": '"Paris (France)"'},
            "description": "both cities first",
            "dependencies": [],
        },
        {"id": "2", "action": "search", "parameters": {"arguments": '"Rome\'s ruins"'}, "dependencies": []},
        {
            "id": "3",
            "action": "math",
            "parameters": {"arguments": '"$1 + ${2}"'},
            "description": "now the sum of both",
            "dependencies": ["1", "2"],
        },
        {"id": "4", "action": "join", "dependencies": ["1", "2", "3"]},
    ]


def test_tagged_prose_becomes_recommendations_without_an_action() -> None:
    plan = read_well(TASK_WEAVER)
    assert plan.form == "TaskWeaver"
    assert plan.items == [
        {"id": "1", "description": "Load a.csv as dataframe", "dependencies": []},
        {"id": "2", "description": "Load <b>.csv as dataframe", "dependencies": []},
        {"id": "3", "description": "Ask which column to join", "dependencies": ["1", "2"]},
        {"id": "4", "description": "Join the two dataframes", "dependencies": ["3"]},
        {"id": "5", "description": "report the result to the user", "dependencies": ["4", "1", "2"]},
    ]


def test_nodes_and_edges_become_recommendations_without_an_action() -> None:
    plan = read_well(WORFBENCH)
    assert plan.form == "WorFBench"
    assert plan.items == [
        {"id": "1", "description": "go to the sink", "dependencies": []},
        {"id": "2", "description": "take the cup: the red one", "dependencies": []},
        {"id": "3", "description": "wash it", "dependencies": ["1", "2"]},
    ]


@pytest.mark.parametrize("text", [LLM_COMPILER, TASK_WEAVER, WORFBENCH])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_ends_of_lines_make_no_difference(text: str, end: str) -> None:
    assert read_well(text.replace("\n", end)) == read_well(text)


@pytest.mark.parametrize(
    ("text", "graph"),
    [
        ('1. search("Paris")\n2. math("$1")\n3. join()<END_OF_PLAN>', {"1": [], "2": ["1"], "3": ["1", "2"]}),
        ("1. a()\n2. b($1)\n<END_OF_PLAN>", {"1": [], "2": ["1"]}),
        ("1. a()\n2. b($1) <END_OF_PLAN>\nbye", {"1": [], "2": ["1"]}),
        ("  1. a($2)\n  2. b()\n  3. Finish($9)", {"1": ["2"], "2": [], "3": ["1", "2", "9"]}),
        (
            "1. a()\n7. b($1, ${ 3 }, f'{$4}', $1$5, $3)\n8. join()",
            {"1": [], "7": ["1", "3", "4", "5"], "8": ["1", "7"]},
        ),
        ("1. a($1)\n2. join()", {"1": ["1"], "2": ["1"]}),
        ("1. a('US$100', '$$1', '$$$2', '$x', \"$5a\", 'x${3}')\n2. join()", {"1": ["3"], "2": ["1"]}),
        ("1. ns.tool-x('it\\'s :)', \":(\")\n2. join()", {"1": [], "2": ["1"]}),
        ("1. a(it's (big))\n2. join()\n```\nand so on", {"1": [], "2": ["1"]}),
        ("1. a('<sequentially depends on 9>')\n2. join()", {"1": [], "2": ["1"]}),
        ("1. a\n2. scale to 5. Then x > 4 <depends on 1>", {"1": [], "2": ["1"]}),
        (f"{'1' * 12}. a\n2. b <depends on 1>", {"1" * 12: [], "2": ["1"]}),
        ("1. a\n2. b < 3 <depends on: tasks 1,2 & step 3, and 4>", {"1": [], "2": ["1", "2", "3", "4"]}),
        ("1. a\n2. b <SEQUENTIALLY DEPENDS UPON 01>", {"1": [], "2": ["01"]}),
        ("nodes: 1: a\n2: b\nedges: (start, 1) (9,2) (2,End)", {"1": [], "2": ["9"]}),
        ("Edge: (1,2)\nNode:\n1: a\n2: b", {"1": [], "2": ["1"]}),
    ],
)
def test_the_graph_is_that_of_the_text(text: str, graph: Graph) -> None:
    assert graph_of(read_well(text)) == graph


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n",
        "I cannot help with that.",
        "1. Call foo(x)\n2. then bar",
        "1. one\n2. two",
        "step 1. a()",
        "Node: 3\nEdge: 4",
        "Node: 1: a",
        "Edge: (1,2)",
        "the result depends on <1>",
    ],
)
def test_other_text_is_none_of_the_forms(text: str) -> None:
    assert read(text) == (None, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. a(\n2. join()", "line 1: the call"),
        ("1. a(x) # needs $2\n2. join()", "does not end with its closing parenthesis"),
        ("1. a((x)\n2. join()", "closes"),
        ("1. a(x), b(y)\n2. join()", "closes"),
        ("1. a(it's) 2. b(it's)\n3. join()", "closes"),
        ("1. a('x) 2. b(x')\n3. join()", "closes"),
        ("1. a('x', 'y\n2. join()", "closing parenthesis"),
        ("1. a()\n2) b($1)\n3. join()", "line 2: "),
        ("1. a()\n1.1 b()\n3. join()", 'line 2: "1.1 b()" looks like a step'),
        ("1. a()\n**2.** b()\n3. join()", "looks like a step"),
        ("1. a()\nStep #2: b()\n3. join()", "looks like a step"),
        ("1. a()\njoin()", "looks like a step"),
        ("1. a()\nthen\n\nafter that\n3. join()", 'line 2: the text "then" and 1 more line among the steps'),
        ("1. a()\n2. join()\nwhich waits", 'line 3: the text "which waits" among the steps'),
        ("1. a()\n2. join()\n3. b()", "line 3: a step comes after join()"),
        ("1. a()<END_OF_PLAN>\n2. b()", "line 2: a step comes after <END_OF_PLAN>"),
        ("1. a()\n<END_OF_PLAN>\n2. join()", "line 3: a step comes after <END_OF_PLAN>"),
        ("1. a()\n2. b($1)", "no end"),
        ("Thought: as follows 1. a()\n2. b($1)\n3. join()", "line 1: there is a step in the thought"),
        ("As follows: 1. a()\n2. b($1)\n3. join()", "line 1: "),
        ("1. a()\n2. b(US$1)\n3. join()", "line 2: it is not clear whether $1"),
        ("1. a()\n2. b($1x)\n3. join()", "line 2: it is not clear whether $1"),
        ("1. a()\n2. b(${1.x})\n3. join()", "line 2: it is not clear whether $1"),
        ("1. a; 2. b <depends on 1>", "more than one step"),
        ("1. a. 2. b <depends on 1> 3. c", "more than one step"),
        ("1. a\n2. b <depends on 1", "not closed"),
        ("1. a\n2. b <depends on 1>\n3. c <", "not closed"),
        ("1. a\n2. b <depends on 1>\n3. c <Seq", "not closed"),
        ("1. a\n2. b <depends on 1>\n3. c <interactively dep <depends on 2>", "not closed"),
        ("1. a\n2. b <interactively depe<nds on 1> <depends on 1>", "cannot be read"),
        ("1. a\n2. b <interactively dpends on 1> <depends on 1>", "cannot be read"),
        ("1. a\n2. b\n3. c <depends on 1 > and 2>", "outside of a tag"),
        ("1. a 2. b\n3. c <depends on 1>", "more than one step"),
        ("1. a\n2. b <sequentially depends on the first>", 'the tag "<sequentially depends on the first>"'),
        ("1. a\n2. b <depends on 1, 2, and>", "cannot be read"),
        ("1. a\n2. b <depends on 1-3>", "cannot be read"),
        ("1. a\n2. b <no dependency>", "cannot be read"),
        ("1. a\n2. b <depends on>", "cannot be read"),
        ("1. a\n2. <depends on 1>", 'step "2" does not say'),
        ("1. a\n2. b (depends on the output of 1)\n3. c <depends on 2>", "outside of a tag"),
        ("1. a\n2. b after step 1\n3. c <depends on 2>", "outside of a tag"),
        ("1. a\n2. b($1)\n3. c <depends on 2>", "a call with a reference"),
        ("1. a\n2. b\n  <depends on 1>\n3. c <depends on 2>", "line 3: "),
        ("1. a\n1.1. b\n2. c <depends on 1>", 'line 2: "1.1. b" looks like a step'),
        ("1. a\n  more\n2. c <depends on 1>", 'line 2: the text "more" among'),
        ("1. a\n2. c <depends on 1>\nand more", 'line 3: the text "and more" among'),
        ("Node: 1: a 2: b\nEdge: (1,END)", "not one node"),
        ("Node: 1: a\n2. b\nEdge: (1,END)", 'line 2: "2. b" is not one node'),
        ("Node: 1: a\n2:\nEdge: (1,END)", "not one node"),
        ("Node: 1: a\n2: b\nEdge: (1,2) (2,", '"(2" among the edges is none'),
        ("Node: 1: a\n2: b\nEdge: 1->2 (1,2)", '"1->2" among the edges is none'),
        ("Node: 1: a\n2: b\nEdge: (1,2,3)", '"(1,2,3)" among the edges is none'),
        ("Node: 1: a\n2: b\nEdge: (1,2)\nthen", 'line 4: the text "then"'),
        ("Node: 1: a\n2: b\nEdge: (1,2)\n\n3: c", '"3: c" is in neither list'),
        ("Node: 1: a\nEdge: (1,END)\nNode: 2: b", "a second list begins"),
        ("Node: 1: a\nEdge: (END,1)", "leads nowhere"),
        ("Node: 1: a\nEdge: (1,START)", "leads nowhere"),
        ("Node: 1: a\nEdge: (start,end)", "leads nowhere"),
        ("Node: 1: a\n2: b\nEdge: (START,1) (1,2)", "none leads to END"),
    ],
)
def test_what_may_lose_an_edge_is_refused(text: str, expected: str) -> None:
    plan, problems = read(text)
    assert plan is not None
    assert expected in problems[0].message
    assert {problem.code for problem in problems} == {"invalid-document"}
    assert all(problem.suggestion for problem in problems)


@pytest.mark.parametrize("edge", ["(1,9)", "(9,END)", "(START,9)", "(1,)"])
def test_an_edge_to_a_node_that_is_not_there_is_not_lost(edge: str) -> None:
    plan, problems = read(f"Node: 1: a\nEdge: (START,1) (1,END) {edge}")
    assert plan is not None
    assert [(problem.code, problem.message.count(edge)) for problem in problems] == [("invalid-document", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "1. a()\n1. b()\n2. join()",
        "1. a\n1. b\n2. c <depends on 1>",
        "Node: 1: a\n1: b\n2: c\nEdge: (1,2) (2,1)",
    ],
)
def test_a_number_that_is_there_twice_stays(text: str) -> None:
    assert [item["id"] for item in read_well(text).items] == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("1. a()\n2. join()", {"max_steps": 1}, "more than 1 steps"),
        ("1. a()\n2. a()\n3. join()", {"max_dependencies": 1}, "more than 1 dependencies"),
        ("1. a($1, $2)\n3. join()", {"max_dependencies": 1}, "more than 1 dependencies"),
        ("1. a\n2. b <depends on 1>", {"max_steps": 1}, "more than 1 steps"),
        ("1. a\n2. b <depends on 1, 2>", {"max_dependencies": 1}, "more than 1 dependencies"),
        ("Node: 1: a\n2: b\nEdge: (1,2)", {"max_steps": 1}, "more than 1 steps"),
        ("Node: 1: a\n2: b\nEdge: (1,2) (2,1)", {"max_dependencies": 1}, "more than 1 dependencies"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_whole(text: str, limits: Dict[str, int], expected: str) -> None:
    plan, problems = read(text, **limits)
    assert plan is not None
    assert plan.items == []
    assert [problem.code for problem in problems] == ["limit-exceeded"]
    assert expected in problems[0].message


def test_a_tag_is_not_split_without_end() -> None:
    plan, problems = read(f"1. a <depends on {'1, ' * 1000}1>", max_dependencies=10)
    assert plan is not None
    assert "cannot be read" in problems[0].message


HEADS = ["", "1. a(", "1. a()\n2. b <depends on ", "1. x <depends on 1> ", "Node: 1: a\nEdge: ", "Node: 1: "]
UNITS = [
    "1. a(",
    "1. a(\n",
    "(",
    ")",
    "1. a)1.",
    "<sequentially depends on",
    "1. x <sequentially depends on 1>\n",
    "depend on ",
    "$1",
    "$",
    "1",
    " ",
    "\t-",
    "\n",
    "'\"",
    "\\'",
    "1. join()\n",
    "Thought: x\n",
    "Node: 1: a\nEdge:\n",
    "(1,2) ",
    "1, ",
    "1.a",
    "1.a(",
]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_much_of_anything_is_read_to_its_end(unit: str) -> None:
    """What took a time that grows with the square would not come back from this."""
    for head in HEADS[: 1 if "\n" in unit else None]:  # on lines of their own, the head makes no difference
        text = (head + unit * (200_000 // len(unit)))[:200_000]
        for tail in ("", ")\n2. join()", ">"):
            plan, problems = read(text + tail)
            assert plan is None or plan.items or problems


PIECES = [
    *HEADS,
    *UNITS,
    "1.1 ",
    "END",
    "${",
    "}",
    "<END_OF_PLAN>",
    "```",
    "Edge:",
    "(START,",
    "2: ",
    "x",
    "\r",
    "\u2028",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join), st.text("0123. ($){}<>,:\nad")))
def test_no_text_raises(text: str) -> None:
    plan, problems = read(text)
    assert plan is not None or problems == ()


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph, cycles and unknown nodes too."""
    ids = draw(st.lists(st.integers(0, 30).map(str), min_size=1, max_size=8, unique=True))
    return {id_: draw(st.lists(st.sampled_from(ids), max_size=4, unique=True)) for id_ in ids}


TEXTS = st.text("abc xyz'\"", max_size=12).map(lambda text: f"t{text}t")


@given(graphs(), st.data())
def test_a_graph_written_as_calls_is_read_back(graph: Graph, data: st.DataObject) -> None:
    lines: List[str] = []
    for id_, needs in graph.items():
        references = [data.draw(st.sampled_from(["${}", "${{{}}}", "'${}'"])).format(other) for other in needs]
        lines.append(f"{id_}. tool({', '.join(references)})")
    plan = read_well("\n".join([*lines, "99. join()"]))
    assert graph_of(plan) == {**graph, "99": list(graph)}


@given(graphs(), st.data())
def test_a_graph_written_as_tags_is_read_back(graph: Graph, data: st.DataObject) -> None:
    lines = ["77. begin <depends on 78>"]
    for id_, needs in graph.items():
        kind = data.draw(st.sampled_from(["sequentially depends on", "interactively depends on", "depend on"]))
        separator = data.draw(st.sampled_from([", ", " and ", ",", "> <depends on "]))
        lines.append(f"{id_}. {data.draw(TEXTS)} " + (f"<{kind} {separator.join(needs)}>" if needs else ""))
    assert graph_of(read_well("\n".join(lines))) == {"77": ["78"], **graph}


@given(graphs(), st.data())
def test_a_graph_written_as_edges_is_read_back(graph: Graph, data: st.DataObject) -> None:
    nodes = [f"{id_}: {data.draw(TEXTS)}" for id_ in graph]
    edges = [(need, id_) for id_, needs in graph.items() for need in needs]
    edges += [pair for id_ in graph for pair in (("START", id_), (id_, "END"))]
    pairs = " ".join(f"({source},{target})" for source, target in data.draw(st.permutations(edges)))
    plan = read_well("\n".join(["Node:", *nodes, f"Edge: {pairs}"]))
    assert {id_: sorted(needs) for id_, needs in graph_of(plan).items()} == {
        id_: sorted(needs) for id_, needs in graph.items()
    }


def test_messages_quote_what_is_not_ours() -> None:
    texts: List[Any] = ["1. a(\x1b[31m\n2. join()", "1. a\n2. b <depends on \x1b>", "Node: 1: a\nEdge: (1,\x1b)"]
    for text in texts:
        assert all(problem.message.isprintable() for problem in read(text)[1])
