/* The arguments of a run: words of the form name=value. */
#include "internal.h"

static char **kept;

void keep_arguments(char **words)
{
    kept = words;
}

const char *argument_text(const char *name, const char *otherwise)
{
    size_t length = strlen(name);
    for (char **word = kept; *word != NULL; word++)
        if (strncmp(*word, name, length) == 0 && (*word)[length] == '=')
            return *word + length + 1;
    return otherwise;
}

long argument_number(const char *name, long otherwise)
{
    const char *text = argument_text(name, NULL);
    if (text == NULL)
        return otherwise;
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0')
        fail_text("an argument is not a number");
    return value;
}
