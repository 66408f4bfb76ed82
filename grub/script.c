/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <limits.h>

#include "grub/script-lexer.h"

/* The blocks and compound commands that can be open around a command. */
typedef enum ScriptFrameKind {
        FRAME_TOP,
        FRAME_BLOCK,
        FRAME_FUNCTION,
        FRAME_IF,       /* the condition of "if" or "elif" */
        FRAME_THEN,
        FRAME_ELSE,
        FRAME_FOR,      /* between the words of "for" and its "do" */
        FRAME_LOOP,     /* the condition of "while" or "until" */
        FRAME_DO,
        _FRAME_KIND_MAX,
        FRAME_CLOSED = _FRAME_KIND_MAX,
} ScriptFrameKind;

/*
 * parser.y as a table: which tokens end the list of commands in a frame, and which frame follows. A list has at least
 * one command, and a delimiter between the last command and the token that ends the list, except in a block.
 */
static const struct ScriptFrameRule {
        bool no_commands, no_delimiter;
        struct {
                LexerToken type;
                ScriptFrameKind next;
        } ends[3];
        const char *unclosed;
} frame_rules[_FRAME_KIND_MAX] = {
        [FRAME_BLOCK] = {
                .no_delimiter = true,
                .ends = { { LEXER_CLOSE, FRAME_CLOSED } },
                .unclosed = "a \"{\" is never closed",
        },
        [FRAME_FUNCTION] = {
                .ends = { { LEXER_CLOSE, FRAME_CLOSED } },
                .unclosed = "a function is never closed",
        },
        [FRAME_IF] = {
                .ends = { { LEXER_THEN, FRAME_THEN } },
                .unclosed = "an \"if\" has no \"then\"",
        },
        [FRAME_THEN] = {
                .ends = { { LEXER_FI, FRAME_CLOSED }, { LEXER_ELSE, FRAME_ELSE }, { LEXER_ELIF, FRAME_IF } },
                .unclosed = "an \"if\" has no \"fi\"",
        },
        [FRAME_ELSE] = {
                .ends = { { LEXER_FI, FRAME_CLOSED } },
                .unclosed = "an \"if\" has no \"fi\"",
        },
        [FRAME_FOR] = {
                .no_commands = true,
                .ends = { { LEXER_DO, FRAME_DO } },
                .unclosed = "a \"for\" has no \"do\"",
        },
        [FRAME_LOOP] = {
                .ends = { { LEXER_DO, FRAME_DO } },
                .unclosed = "a loop has no \"do\"",
        },
        [FRAME_DO] = {
                .ends = { { LEXER_DONE, FRAME_CLOSED } },
                .unclosed = "a loop has no \"done\"",
        },
};

typedef struct ScriptFrame {
        ScriptFrameKind kind;
        enum {
                LIST_EMPTY,     /* no command yet */
                LIST_COMMAND,   /* a command was read, and no delimiter after it */
                LIST_DELIMITED,
        } list;
        unsigned line;    /* where it was opened */
        unsigned clauses; /* how many "elif" it had */
        size_t parent;
        bool in_function, conditional, otherwise;
        size_t guard;       /* as in ScriptCommand */
        size_t condition;   /* the index of the first command of the condition */
} ScriptFrame;

typedef struct ScriptParser {
        Lexer lexer;
        bool ahead;    /* the token of the lexer was not used yet */
        ScriptFrame *frames;
        size_t n_frames;
        Script script;
} ScriptParser;

static int parser_fail(ScriptParser *p, const char *reason) {
        return lexer_fail(&p->lexer, p->lexer.token_line, reason);
}

static int parser_next(ScriptParser *p) {
        if (p->ahead) {
                p->ahead = false;
                return 0;
        }

        return lexer_next(&p->lexer);
}

static ScriptFrame *parser_top(const ScriptParser *p) {
        return p->frames + p->n_frames - 1;
}

/* Open a frame. Commands in it run if the commands around it do, unless it is a menu or a function, which run later. */
static int parser_push(ScriptParser *p, ScriptFrameKind kind, unsigned line, size_t parent) {
        ScriptFrame f = {
                .kind = kind,
                .line = line,
                .parent = parent,
                .in_function = kind == FRAME_FUNCTION,
                .conditional = kind == FRAME_FOR,
                .guard = SCRIPT_NO_PARENT,
                .condition = p->script.n_commands,
        };
        int r;

        if (p->n_frames > SCRIPT_DEPTH_MAX)
                return parser_fail(p, "blocks are nested too deeply");

        r = grow(&p->frames, p->n_frames, sizeof(ScriptFrame));
        if (r < 0)
                return r;

        if (p->n_frames > 0 && parent == parser_top(p)->parent && kind != FRAME_FUNCTION) {
                f.in_function = parser_top(p)->in_function;
                f.conditional = f.conditional || parser_top(p)->conditional;
                f.guard = f.kind == FRAME_FOR ? SCRIPT_NO_PARENT : parser_top(p)->guard;
                f.otherwise = parser_top(p)->otherwise;
        }

        p->frames[p->n_frames++] = f;
        return 0;
}

/* Add the word that was read last to a command. */
static int parser_add_word(ScriptParser *p, ScriptCommand *c) {
        Script *s = &p->script;
        int r;

        r = grow(&s->words, s->n_words, sizeof(ScriptWord));
        if (r < 0)
                return r;

        s->words[s->n_words++] = p->lexer.word;
        c->n_words++;
        return 0;
}

/* Read the arguments that follow. They become words of a command. */
static int parser_arguments(ScriptParser *p, ScriptCommand *c) {
        int r;

        for (size_t n = 0;; n++) {
                r = parser_next(p);
                if (r < 0)
                        return r;

                if (p->lexer.type < LEXER_WORD) {
                        p->ahead = true;
                        return 0;
                }

                if (n >= SCRIPT_WORDS_MAX)
                        return parser_fail(p, "a command has more words than GRUB can read");
                if (!p->lexer.substantial)
                        continue;

                r = parser_add_word(p, c);
                if (r < 0)
                        return r;
        }
}

/* Whether the block of a command is a menu entry or a submenu. */
static bool parser_is_menu(const Script *s, const ScriptCommand *c) {
        const char *name;

        if (c->n_words == 0)
                return false;

        name = s->words[s->n_words - c->n_words].value;
        return streq(name, "menuentry") || streq(name, "submenu");
}

/* A command without words, at the current token and in the current frame. */
static ScriptCommand parser_new_command(const ScriptParser *p) {
        const ScriptFrame *top = parser_top(p);

        return (ScriptCommand) {
                .line = p->lexer.token_line,
                .parent = top->parent,
                .os_prober = p->lexer.os_prober,
                .in_function = top->in_function,
                .conditional = top->conditional,
                .guard = top->guard,
                .otherwise = top->otherwise,
        };
}

/* word arguments0 block0 */
static int parser_command(ScriptParser *p) {
        ScriptCommand c = parser_new_command(p);
        Script *s = &p->script;
        size_t parent;
        int r;

        p->ahead = true;
        r = parser_arguments(p, &c);
        if (r < 0)
                return r;

        parent = parser_is_menu(s, &c) ? s->n_commands : c.parent;
        if (c.n_words > 0) {
                r = grow(&s->commands, s->n_commands, sizeof(ScriptCommand));
                if (r < 0)
                        return r;

                s->commands[s->n_commands++] = c;
        }

        if (p->lexer.type != LEXER_OPEN)
                return 0;

        p->ahead = false;
        return parser_push(p, FRAME_BLOCK, p->lexer.token_line, parent);
}

/* "function" "name" newlines0 "{" */
static int parser_function(ScriptParser *p) {
        int r;

        if (parser_top(p)->kind != FRAME_TOP)
                return parser_fail(p, "a function is defined inside another block");

        r = parser_next(p);
        if (r < 0)
                return r;
        if (p->lexer.type != LEXER_NAME)
                return parser_fail(p, "\"function\" is not followed by a name");

        do {
                r = parser_next(p);
                if (r < 0)
                        return r;
        } while (p->lexer.type == LEXER_NEWLINE);

        if (p->lexer.type != LEXER_OPEN)
                return parser_fail(p, "a function's name is not followed by \"{\"");

        return parser_push(p, FRAME_FUNCTION, p->lexer.token_line, SCRIPT_NO_PARENT);
}

/* Read the head of a loop, "for" "name" "in" arguments0, into a command; "for" was read. */
static int parser_for_head(ScriptParser *p, ScriptCommand *c) {
        int r;

        r = parser_add_word(p, c);
        if (r < 0)
                return r;

        r = parser_next(p);
        if (r < 0)
                return r;
        if (p->lexer.type != LEXER_NAME)
                return parser_fail(p, "\"for\" is not followed by a name");

        r = parser_add_word(p, c);
        if (r < 0)
                return r;

        r = parser_next(p);
        if (r < 0)
                return r;
        if (p->lexer.type != LEXER_RESERVED || !streq(p->lexer.word.value, "in"))
                return parser_fail(p, "the name after \"for\" is not followed by \"in\"");

        return parser_arguments(p, c);
}

/* A loop "for". The frame has no list, but a delimiter has to follow as after a command. */
static int parser_for(ScriptParser *p) {
        ScriptCommand c = parser_new_command(p);
        Script *s = &p->script;
        int r;

        r = parser_for_head(p, &c);
        if (r < 0)
                return r;

        r = grow(&s->commands, s->n_commands, sizeof(ScriptCommand));
        if (r < 0)
                return r;
        s->commands[s->n_commands++] = c;

        r = parser_push(p, FRAME_FOR, c.line, c.parent);
        if (r < 0)
                return r;

        parser_top(p)->list = LIST_COMMAND;
        return 0;
}

static int parser_sentence(ScriptParser *p) {
        ScriptFrame *f = parser_top(p);

        if (f->list == LIST_COMMAND || frame_rules[f->kind].no_commands)
                return parser_fail(p, "GRUB expects the end of the command here");

        f->list = LIST_COMMAND;

        switch (p->lexer.type) {
        case LEXER_WORD:
        case LEXER_NAME:
                return parser_command(p);
        case LEXER_IF:
                return parser_push(p, FRAME_IF, p->lexer.token_line, f->parent);
        case LEXER_WHILE:
        case LEXER_UNTIL:
                return parser_push(p, FRAME_LOOP, p->lexer.token_line, f->parent);
        case LEXER_FOR:
                return parser_for(p);
        case LEXER_FUNCTION:
                return parser_function(p);
        default:
                return parser_fail(p, "GRUB expects a command here");
        }
}

/* Close a frame, or change it to the one that follows, after a token ended its list of commands. */
static int parser_close_list(ScriptParser *p, ScriptFrameKind next) {
        ScriptFrame *f = parser_top(p);
        bool guarded = next == FRAME_THEN && !f->conditional && p->script.n_commands == f->condition + 1;
        bool otherwise = f->guard == f->condition && (next == FRAME_ELSE || next == FRAME_IF || f->otherwise);

        if (next == FRAME_CLOSED) {
                p->n_frames--;
                return 0;
        }

        if (next == FRAME_IF && ++f->clauses > SCRIPT_DEPTH_MAX)
                return parser_fail(p, "an \"if\" has more \"elif\" than GRUB can read");

        f->guard = guarded || otherwise ? f->condition : SCRIPT_NO_PARENT;
        f->otherwise = otherwise;
        f->conditional = true;
        f->kind = next;
        f->list = LIST_EMPTY;
        return 0;
}

/* Return: 1 at the end of the text. */
static int parser_token(ScriptParser *p) {
        ScriptFrame *f = parser_top(p);
        const struct ScriptFrameRule *rule = frame_rules + f->kind;
        LexerToken type = p->lexer.type;

        if (type == LEXER_END)
                return f->kind == FRAME_TOP ? 1 : lexer_fail(&p->lexer, f->line, rule->unclosed);

        if (type == LEXER_NEWLINE || (type == LEXER_SEMICOLON && f->list == LIST_COMMAND)) {
                if (f->list == LIST_COMMAND)
                        f->list = LIST_DELIMITED;
                return 0;
        }

        if (f->list == LIST_DELIMITED || (f->list == LIST_COMMAND && rule->no_delimiter))
                for (size_t i = 0; i < ELEMENTSOF(rule->ends); i++)
                        if (rule->ends[i].type == type)
                                return parser_close_list(p, rule->ends[i].next);

        return parser_sentence(p);
}

/* All words are in one array, in the order of the commands. */
static void script_assign_words(Script *s) {
        const ScriptWord *w = s->words;

        for (size_t i = 0; i < s->n_commands; i++) {
                s->commands[i].words = w;
                w += s->commands[i].n_words;
        }
}

static int parser_run(ScriptParser *p) {
        int r;

        r = parser_push(p, FRAME_TOP, 1, SCRIPT_NO_PARENT);
        if (r < 0)
                return r;

        lexer_start(&p->lexer);

        do {
                r = parser_next(p);
                if (r < 0)
                        return r;

                r = parser_token(p);
        } while (r == 0);

        return r < 0 ? r : 0;
}

/* GRUB ends a line at a NUL byte. A file with one is damaged, so refuse it. */
static int script_refuse_nul(const char *text, size_t size, ScriptError *ret_error) {
        const char *nul = size > 0 ? memchr(text, 0, size) : NULL;
        unsigned line = 1;

        if (!nul)
                return 0;

        for (const char *p = text; p < nul; p++)
                if (*p == '\n')
                        line++;

        *ret_error = (ScriptError) { .line = line, .reason = "the file holds a NUL byte" };
        return -EINVAL;
}

int script_parse(const char *text, size_t size, Script *ret, ScriptError *ret_error) {
        ScriptParser p = { .lexer = { .text = text, .size = size, .line = 1 } };
        int r;

        assert(text || size == 0);
        assert(size <= UINT_MAX);
        assert(ret);
        assert(ret_error);

        r = script_refuse_nul(text, size, ret_error);
        if (r < 0)
                return r;

        p.lexer.values = p.script.values = malloc(size + 2);
        if (!p.lexer.values)
                return -ENOMEM;

        r = parser_run(&p);
        free(p.frames);
        p.script.references = p.lexer.references;
        p.script.n_references = p.lexer.n_references;
        if (r < 0) {
                *ret_error = p.lexer.error;
                script_done(&p.script);
                return r;
        }

        script_assign_words(&p.script);
        *ret = p.script;
        return 0;
}

void script_done(Script *s) {
        free(s->commands);
        free(s->words);
        free(s->references);
        free(s->values);
        *s = SCRIPT_NULL;
}
