// What the shared library exports. Everything that does not carry this mark stays hidden.
#pragma once

#define PERSIST_API __attribute__((visibility("default")))
