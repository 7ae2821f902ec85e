// SPDX-License-Identifier: Apache-2.0
// The lists of fields.def and symbols.def as tables.
#include "facts/facts.h"

#define NEEDED true
#define OPTIONAL false

static const struct inv_type_info types[] = {
#define INV_TYPE(type, names) {"_" #type, names},
#include "facts/fields.def"
};

static const struct inv_field_info fields[] = {
#define INV_FIELD(type, field, names, kind, need) {INV_T_##type, #field, names, kind, need},
#include "facts/fields.def"
};

static const char *const full_names[] = {
#define INV_FIELD(type, field, names, kind, need) "_" #type "." #field,
#include "facts/fields.def"
};

static const char *const symbols[] = {
#define INV_SYMBOL(symbol, need) #symbol,
#include "facts/symbols.def"
};

const struct inv_type_info *inv_type_info(enum inv_type type)
{
	return &types[type];
}

const struct inv_field_info *inv_field_info(enum inv_field field)
{
	return &fields[field];
}

const char *inv_symbol_name(enum inv_symbol symbol)
{
	return symbols[symbol];
}

const char *inv_field_full_name(enum inv_field field)
{
	return full_names[field];
}
