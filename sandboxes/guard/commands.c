/* What the supervisor says: parsed strictly, then done. False means the payload is malformed. */
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reader {
    const uint8_t *at, *end;
    bool ok;
};

static const uint8_t *take(struct reader *r, size_t len)
{
    if (!r->ok || (size_t)(r->end - r->at) < len) {
        r->ok = false;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += len;
    return p;
}

static uint8_t take_u8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

static uint32_t take_u32(struct reader *r)
{
    uint32_t v = 0;
    const uint8_t *p = take(r, 4);
    if (p)
        memcpy(&v, p, 4);
    return v;
}

static const char *take_str(struct reader *r, size_t *len)
{
    *len = take_u32(r);
    const char *s = (const char *)take(r, *len);
    if (s && memchr(s, '\0', *len))
        r->ok = false;
    return r->ok ? s : NULL;
}

static bool finished(const struct reader *r)
{
    return r->ok && r->at == r->end;
}

bool command_config(const uint8_t *payload, size_t len)
{
    struct reader r = {payload, payload + len, true};
    uint32_t flags = take_u32(&r);
    g.config.nested_local = flags & 1;
    g.config.capture = flags & 2;
    g.config.verdict_ms = take_u32(&r);
    g.config.release_ms = take_u32(&r);
    g.config.head_cap = take_u32(&r);
    g.config.tail_cap = take_u32(&r);
    uint32_t count = take_u32(&r);
    if (!r.ok || flags > 3 || count > (size_t)(r.end - r.at) / 4)
        return false;
    g.config.agent_names = xrealloc(NULL, (count + 1) * sizeof(char *));
    for (uint32_t i = 0; i < count; i++) {
        size_t n;
        const char *s = take_str(&r, &n);
        if (s == NULL)
            return false;
        char *name = xrealloc(NULL, n + 1);
        memcpy(name, s, n);
        name[n] = '\0';
        g.config.agent_names[i] = name;
    }
    g.config.agent_names[count] = NULL;
    return finished(&r);
}

static bool handle_verdict(uint64_t id, struct reader *r)
{
    struct verdict v = {0};
    uint8_t allow = take_u8(r);
    v.kind = take_u8(r);
    uint8_t flags = take_u8(r);
    v.step = take_u32(r);
    v.message = take_str(r, &v.message_len);
    if (!finished(r) || allow > 1 || v.kind < K_AGENT || v.kind > K_NESTED || flags > 1)
        return false;
    if (v.message_len > MESSAGE_CAP)
        v.message_len = MESSAGE_CAP;
    v.allow = allow;
    v.hold_end = flags & 1;
    struct tracee *t = id ? tracee_by_exec(id) : NULL;
    if (t != NULL) /* else it died meanwhile, or the verdict came too late */
        verdict_apply(t, &v);
    return true;
}

static bool handle_release(uint64_t id, struct reader *r)
{
    size_t len;
    const char *text = take_str(r, &len);
    if (!finished(r))
        return false;
    struct tracee *t = id && id <= UINT32_MAX ? tracee_by_step((uint32_t)id) : NULL;
    if (t != NULL && t->state == T_END_HELD)
        step_release(t, text, len);
    return true;
}

bool command_handle(uint8_t type, uint64_t id, const uint8_t *payload, size_t len)
{
    struct reader r = {payload, payload + len, true};
    switch (type) {
    case F_VERDICT:
        return handle_verdict(id, &r);
    case F_RELEASE:
        return handle_release(id, &r);
    case F_SIGNAL: {
        uint8_t sig = take_u8(&r);
        if (!finished(&r) || id != 0 || sig < 1 || sig > 64)
            return false;
        signal_everything(sig);
        return true;
    }
    case F_BYE:
        if (!finished(&r) || id != 0)
            return false;
        if (g.phase != WAITING_FOR_BYE) { /* the run broke; the supervisor says why, so nothing is said here */
            kill_everything();
            _exit(125);
        }
        g.phase_deadline = 0; /* due */
        return true;
    default: /* a second CONFIG */
        return false;
    }
}
