"""The words of the law of reading, frozen: a property that draws from here sees a word that the reader has lost.

Keys and values are written as they are compared, without case and punctuation. Change a row only when the law changes.
"""

from __future__ import annotations

from typing import Tuple


def _words(text: str) -> Tuple[str, ...]:
    return tuple(text.split())


FIELDS_ID = _words(
    """
    id identifier key recid recommendationid stepid stepnumber taskid taskkey tasknumber uid
    """
)

FIELDS_ACTION = _words(
    """
    action actionname actiontype command function functionname operation run task tool toolname tooltouse uses
    """
)

FIELDS_TITLE = _words(
    """
    activeform content description displayname label name subject summary title
    """
)

FIELDS_PARAMETERS = _words(
    """
    args arguments inputs parameters params with
    """
)

FIELDS_DEPENDENCIES = _words(
    """
    after await awaits blockedby dep depend dependencies dependency dependencyids dependenton dependenttaskids
    depends dependson dependsonids dependsonsteps dependsontasks dependsupon deps needs predecessors prereq
    prereqs prerequisite prerequisites requires runafter startafter upstream waitfor waiton waitsfor waitson
    """
)
"""What states that the item itself waits for what is named."""

FIELDS_PLAIN = _words(
    """
    confidence confidencescore continueonerror continueonfailure effect estimatedseconds idempotent instruction
    instructions locks metadata prob probability retry rollback timeoutseconds
    """
)

SERIAL = _words(
    """
    exclusive inorder linear oneatatime onebyone ordered sequential sequentially serial serially series
    synchronous
    """
)

PARALLEL = _words(
    """
    all any auto concurrent independent mixed parallel sequentialwithparallel simultaneous unordered
    """
)

LOOSE_MODE = _words(
    """
    concurrency concurrencymode execution executionorder executionstrategy executionstyle executiontype flow
    kind mode order ordering parallelexecution pattern process runmode schedule strategy type
    """
)
"""Keys that state a mode if their value is serial."""

TRUE_IS_SERIAL = _words(
    """
    blocking exclusive isblocking issequential mustrunalone ordered runalone runsequentially runserially
    sequential serial
    """
)

FALSE_IS_SERIAL = _words(
    """
    allowparallel canparallelize canruninparallel canrunparallel concurrent isparallel parallel parallelizable
    parallelok parallelsafe runinparallel runsinparallel
    """
)

ONE_IS_SERIAL = _words(
    """
    concurrency maxconcurrency maxconcurrent maxinflight maxparallel maxparallelism maxworkers parallelism
    workers
    """
)

WORDY_NUMBERING = _words(
    """
    at batch parallelgroup phase round runat scheduledat scheduledfor sprint stage start startat starts
    starttime tier wave
    """
)
"""Those whose differing words do, too."""

INERT_ENDS = _words(
    """
    comment comments description explanation instruction instructions message note notes prompt rationale reason
    summary
    """
)
"""A key that ends so is inert."""

LISTS = _words(
    """
    actionplan actions jobs nodes plan plannedsteps planofaction recommendation recommendations
    recommendedactions remediationplan remediationsteps stages steps subtasks tasklist tasknodes tasks todolist
    todos workflow workflowsteps
    """
)
"""What a list of items may be called."""

ONE_ID = _words(
    """
    dependsonid id job name ref step stepid task taskid taskkey
    """
)

NOTHING = _words(
    """
    - -1 n/a nil none nothing null
    """
)

ORDER = _words(
    """
    after afterall await awaiting awaits before blockedby blocker blockers blocking blocks comesafter
    comesbefore dag dep dependencies dependency dependent dependents depends deps downstream edge edges enables
    executeafter executebefore followedby following follows mustfollow mustprecede needs next nexttask
    precededby precedes preceding predecessor predecessors prereq prereqs prerequisite prerequisites previous
    previousstep prior priorto requiredby requires runafter runbefore runsafter runsbefore startafter
    startbefore successor successors then unblocks upstream waitfor waitingfor waiton waitsfor waitson
    """
)
"""Keys that state an order."""

FORWARD = _words(
    """
    before blocker blocking blocks child children comesbefore dependent dependents downstream enables
    executebefore followedby next nextstep nextsteps nexttask precedes requiredby runbefore runsbefore
    startbefore successor successors then unblocks
    """
)
"""Of these and WEAK, the keys that name direct dependents."""

BACKWARD = _words(
    """
    follows parent parents precededby predecessor predecessors previous previousstep waitingfor
    """
)
"""The keys beside the fields that name direct dependencies."""

WEAK = _words(
    """
    child children connections connectsto consumes context end entry feeds finally first flow from given goto
    head in incoming input inputfrom inputs last links nextstep nextsteps order out outgoing output parent
    parentid parents parenttask produces ref references relatedto route sequence source sources src start
    supersededby tail target targets to trigger triggeredby triggers uses wait
    """
)
"""Keys under which a number may name a step."""

CONDITION = _words(
    """
    condition conditional conditions else fallback gate given guard if ifthen oncomplete oncompletion onerror
    onfail onfailure onlyif onsuccess ontimeout precondition preconditions predicate rules runcondition runif
    runon runwhen skipif skipwhen triggerrule unless until when whenexpression
    """
)
"""Keys that state when a step runs."""

DEFAULT_RULE = _words(
    """
    allsuccess completed onsuccess succeeded success true
    """
)

NUMBERING = _words(
    """
    at batch day executionorder group index level no number order ordinal parallelgroup phase position priority
    rank round runat runorder scheduledat scheduledfor seq sequence sequencenumber sortorder sprint stage start
    startat starts starttime step stepno stepnumber tier turn wave week
    """
)
"""Keys whose differing numbers state an order where nothing else does."""

INERT = _words(
    """
    acceptancecriteria code command commands comment comments content definitionofdone description detail
    details doc docs documentation example examples expectedoutput expectedresult explanation expression formula
    goal help instruction instructions justification labels message note notes objective prompt purpose query
    rationale reason reasoning risk risks script summary tags teststrategy text thinking thought thoughts title
    why
    """
)
"""Keys whose strings state nothing."""

MEASURES = _words(
    """
    confidences costs durations efforts estimates scores
    """
)
"""Keys of objects from steps to numbers."""

AUTHOR = _words(
    """
    annotations args arguments env environment files inputs matrix metadata output outputs parameters params
    pindata ports secrets staticdata variables vars volumes with
    """
)
"""Keys that hold the author's own data, which nobody looks into."""

ENDINGS_OF_ORDER = _words("id ids step steps task tasks job jobs name names list")
"""A word of ORDER with one of these behind it is one, too."""
