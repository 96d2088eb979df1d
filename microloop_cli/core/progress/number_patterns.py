"""The patterns of `mask_numbers`, for text whose digits all are 0. Each follows a number's first digit.

Those that a word before the number brings about are sorted by the byte between the two: what is not there is
turned away by one look.
"""

from __future__ import annotations

_END = rb"(?![A-Za-z0-9_])"
_MONTH = (
    rb"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    rb"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_SHORT_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ZONE = rb"(?: ?(?:Z|UTC|GMT|[AaPp][Mm])(?![A-Za-z0-9_])|[+-]00:?00(?!0))?"
_CLOCK = rb"00?:00:00(?:[.,]0{1,9})?" + _ZONE
_FRACTION = rb"(?:[.,]0{1,18})?"
_UNIT = (
    rb"(?:s(?:econds?|ecs?)?|m(?:s|secs?|ins?|inutes?|onths?|illiseconds?|icroseconds?)|us|n(?:s|anoseconds?)"
    rb"|\xc2\xb5s|\xce\xbcs|h(?:ours?|rs?)|days?|weeks?|years?"
    rb"|(?:[kKMGTP]?i?[bB](?:its?|ytes?)?|[a-z]{2,9})/s(?:ec(?:ond)?)?)"
)
_TIME = (
    rb"(?:000(?:-00-00|/00/00)(?:[T ,]{1,2}" + _CLOCK + rb")?"
    # Two parts are no clock without a fraction: `12:30` is as often a line and a column.
    rb"|(?<!:.)0{0,3}:00(?::00(?:[.,]0{1,9})?" + _ZONE + rb"|\.0{1,9}(?:elapsed)?| min)(?!:[0-9a-fA-F<])"
    rb"|0{0,18}(?=[ .,%adehimnosuwyBGKMPT\xc2\xce])(?:"
    rb" " + _UNIT + rb"|[.,]0{1,18}(?: ?" + _UNIT + rb"|user|system|elapsed)"
    rb"|d ?00?h(?: ?00?m)?(?: ?00?s)?|h ?00?m(?: ?00?" + _FRACTION + rb"s)?|m ?00?" + _FRACTION + rb"s"
    # The age of a table's row, a word alone: `5m` within text is as often a size.
    rb"|[mhd](?:(?<=[ \t(]0.)|(?<=[ \t(]00.)|(?<=[ \t(]000.))(?=[ \t)]|$)"
    rb"|user|system|elapsed|minor|major|maxresident|avgtext|avgdata|inputs|outputs|%CPU|" + _UNIT + rb"))"
)
# The month and the weekday before the day are put in afterwards.
_DAY = (
    rb"(?:(?<=[a-z] .)(?:(?<=" + _SHORT_MONTH + rb" .)|(?<=(?:uary|arch|pril|June|July|gust|mber|ober) .))"
    rb"|(?<=[a-z]  .)(?<=" + _SHORT_MONTH + rb"  .))"
    rb"0?,? {1,2}(?:" + _CLOCK + rb"(?: [A-Z]{3,4})?(?: 0000)?|00:00|0000(?: " + _CLOCK + rb")?)"
    rb"|0? (?=[JFMASOND])" + _MONTH + rb",? (?:0000(?:,? " + _CLOCK + rb")?|" + _CLOCK + rb")"
)
# Seconds since 1970, where milliseconds or a fraction show that it is no count.
_EPOCH = rb"000000000(?:\.0{3,9}|000|000000|000000000)"

_PID = rb"[pP][iI][dD]"
_SEED = rb"[sS][eE][eE][dD]"
_SPAN = rb"0{0,17}" + _FRACTION + rb"(?!\.0)"
_CONSTANT_AFTER_SPACE = (
    rb"(?:(?<=[dDtse] .)(?:(?<="
    + _PID
    + rb" .)|(?<="
    + _SEED
    + rb" .)|(?<=goroutine .)|(?<=[pP]rocess .)(?=00)"
    rb"|(?<=[pP]ort .)(?=0000)|(?<=shuffle .)"
    # `bash: line 3: x: not found` counts the lines of what was typed.
    rb"|(?<=bash: line .)(?=0{0,6}:)|(?<=eval: line .)(?=0{0,6}:)|(?<=/sh: line .)(?=0{0,6}:))"
    rb"|(?<=[dDh]: .)(?:(?<=" + _PID + rb": .)|(?<=" + _SEED + rb": .)|(?<=/sh: .)(?=0{0,6}:))"
    rb"|(?<=[ \"][=:] .)(?:(?<=" + _PID + rb".. .)|(?<=" + _SEED + rb".. .))"
    rb"|(?<=^\[0\] .)(?=0{1,8}$))0{0,20}"
)
_CONSTANT_AFTER_SIGN = (
    rb"(?:(?<=[dD].[0-9])(?:(?<=" + _PID + rb"[=:#(].)|(?<=" + _SEED + rb"[=:].))"
    rb"|(?<=\":.)(?:(?<=" + _PID + rb"\":.)|(?<=" + _SEED + rb"\":.))"
    rb"|(?<===.)(?=0{0,9}==)"
    rb"|(?<=[t\]0]:.)(?:(?<=localhost:.)|(?<=000\.0\.0\.0:.)|(?<=0\.0\.0\.0:.)(?<![0.]0\.0\.0\.0:.)"
    rb"|(?<=\[::0\]:.)|(?<=\[::\]:.))(?=0{1,4}" + _END + rb")"
    rb"|(?<=\[.)(?:(?<=[A-Za-z)_]\[.)(?=0{2,7}\][: ])|(?<=make\[.)(?=0?\]:))"
    rb"|(?<=/proc/.)|(?<=/pytest-.))0{0,20}"
)
_SPAN_AFTER_SPACE = (
    rb"(?:(?<=[eEnsy\"]: .)(?:(?<=[tT]ime: .)|(?<=duration: .)|(?<=time\": .)|(?<=duration\": .)"
    rb"|(?<=duration_ms: .))"
    rb"|(?<=[lrs] .)(?:(?<=^real .)|(?<=^user .)|(?<=^sys .)|(?<=duration_ms .)))"
    + _SPAN
    + rb"|(?:(?<=ETA .)0?:00|(?<=ETA: .)0?:00"
    rb"|(?<=Memory: .)0{0,5}\.00 [KMG]?B|(?<=average: .)0{0,3}\.00, 0{1,4}\.00, 0{1,4}\.00)"
)
_SPAN_AFTER_SIGN = (
    rb"(?:(?<=[ens].[0-9])(?:(?<=[tT]ime[=:].)|(?<=duration[=:].)|(?<=duration_ms[=:].)|(?<=duration_s[=:].))"
    rb"|(?<=[=\"][\":].)(?:(?<=time[=\"][\":].)|(?<=duration[=\"][\":].)))"
    + _SPAN
    + rb"|(?<=\[.)0?:00<(?:\?|00?:00(?::00)?)"
)

BEFORE_DAY = (
    rb"(?<![A-Za-z0-9_])(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?(?:" + _MONTH + rb" {1,2})?\Z"
)
# Empty groups at the end say what to mask otherwise than as a time; around what often fails they cost more.
NUMBERS = (
    rb"(?m)0(?:(?<![A-Za-z0-9_.].)(?:"
    + _TIME
    + rb"|x[0a-fA-F]{6,64}(?P<address>)|"
    + _EPOCH
    + rb"(?P<epoch>)|(?<= .)(?:(?:"
    + _DAY
    + rb")(?P<day>)|"
    + _CONSTANT_AFTER_SPACE
    + rb"(?P<constant>)|"
    + _SPAN_AFTER_SPACE
    + rb")|(?<=[=:\"(#\[/-].)(?:"
    + _CONSTANT_AFTER_SIGN
    + rb"(?P<named>)|"
    + _SPAN_AFTER_SIGN
    + rb"))"
    + _END
    + rb"|(?<=[wd.].)(?:(?<=\[gw.)0{0,2}(?=\])|(?<=core\..)(?<![A-Za-z0-9_]core\..)0{2,6}"
    + _END
    + rb"|(?<=_pid.)0{1,6}(?=\.log))(?P<suffix>))"
)
