package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// validate checks a value, as encoding/json decodes it to any with UseNumber, against a schema that
// was decoded in the same way. It knows the keywords that this package writes, and fails at others.
// Objects with properties must have no others, so that a schema cannot pass by saying little.
func validate(root, schema, value any, path string) error {
	switch schema := schema.(type) {
	case bool:
		if !schema {
			return fmt.Errorf("%s: nothing is valid here", path)
		}
		return nil
	case map[string]any:
		for keyword, argument := range schema {
			if err := validateKeyword(root, schema, keyword, argument, value); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	}
	return fmt.Errorf("%s: the schema is %T", path, schema)
}

func validateKeyword(root any, schema map[string]any, keyword string, argument, value any) error {
	switch keyword {
	case "$schema", "$defs", "description":
		return nil
	case "$ref":
		name, ok := strings.CutPrefix(argument.(string), "#/$defs/")
		target, found := root.(map[string]any)["$defs"].(map[string]any)[name]
		if !ok || !found {
			return fmt.Errorf("$ref %v leads nowhere", argument)
		}
		return validate(root, target, value, name)
	case "type":
		return validateType(argument, value)
	case "anyOf", "allOf":
		return validateSeveral(root, keyword, argument.([]any), value)
	case "enum":
		if !slices.Contains(argument.([]any), value) {
			return fmt.Errorf("%v is none of %v", value, argument)
		}
		return nil
	}
	switch value := value.(type) {
	case string:
		return validateString(keyword, argument.(string), value)
	case json.Number:
		return validateNumber(keyword, argument.(json.Number), value)
	case []any:
		return validateArray(root, keyword, argument, value)
	case map[string]any:
		return validateObject(root, schema, keyword, argument, value)
	}
	return nil
}

func validateType(want, value any) error {
	names, several := want.([]any)
	if !several {
		names = []any{want}
	}
	is := "null"
	switch value := value.(type) {
	case bool:
		is = "boolean"
	case string:
		is = "string"
	case json.Number:
		is = "number"
		if number, ok := new(big.Rat).SetString(value.String()); ok && number.IsInt() && slices.Contains(names, any("integer")) {
			is = "integer"
		}
	case []any:
		is = "array"
	case map[string]any:
		is = "object"
	}
	if !slices.Contains(names, any(is)) {
		return fmt.Errorf("%s (%v) is no %v", is, value, want)
	}
	return nil
}

func validateSeveral(root any, keyword string, schemas []any, value any) error {
	var last error
	passed := 0
	for _, each := range schemas {
		if err := validate(root, each, value, keyword); err != nil {
			last = err
		} else {
			passed++
		}
	}
	if keyword == "anyOf" && passed > 0 || passed == len(schemas) {
		return nil
	}
	return last
}

func validateString(keyword, argument, value string) (err error) {
	switch keyword {
	case "pattern":
		if !regexp.MustCompile(argument).MatchString(value) {
			err = fmt.Errorf("%q does not match %s", value, argument)
		}
	case "format":
		if _, err = time.Parse(time.RFC3339, value); argument != "date-time" {
			err = fmt.Errorf("unknown format %s", argument)
		}
	case "contentEncoding":
		if _, err = base64.StdEncoding.DecodeString(value); argument != "base64" {
			err = fmt.Errorf("unknown encoding %s", argument)
		}
	default:
		err = fmt.Errorf("keyword %s beside a string", keyword)
	}
	return err
}

func validateNumber(keyword string, argument, value json.Number) error {
	got, ok := new(big.Rat).SetString(value.String())
	limit, ok2 := new(big.Rat).SetString(argument.String())
	compared := 0
	if ok && ok2 {
		compared = got.Cmp(limit)
	}
	switch {
	case !ok || !ok2:
		return fmt.Errorf("no numbers: %s, %s", value, argument)
	case keyword != "minimum" && keyword != "maximum":
		return fmt.Errorf("keyword %s beside a number", keyword)
	case keyword == "minimum" && compared < 0, keyword == "maximum" && compared > 0:
		return fmt.Errorf("%s with a %s of %s", value, keyword, argument)
	}
	return nil
}

func validateArray(root any, keyword string, argument any, value []any) error {
	switch keyword {
	case "items":
		for i, item := range value {
			if err := validate(root, argument, item, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	case "minItems", "maxItems":
		return validateNumber(strings.TrimSuffix(keyword, "Items")+"imum", argument.(json.Number), json.Number(fmt.Sprint(len(value))))
	}
	return fmt.Errorf("keyword %s beside an array", keyword)
}

func validateObject(root any, schema map[string]any, keyword string, argument any, value map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	for name, member := range value {
		property, known := properties[name]
		var err error
		switch {
		case keyword == "properties" && !known && schema["additionalProperties"] == nil:
			err = fmt.Errorf("member %q is not in the schema", name)
		case keyword == "properties" && known:
			err = validate(root, property, member, name)
		case keyword == "additionalProperties" && !known:
			err = validate(root, argument, member, name)
		case keyword == "propertyNames":
			err = validate(root, argument, name, name)
		}
		if err != nil {
			return err
		}
	}
	switch keyword {
	case "required":
		for _, name := range argument.([]any) {
			if _, ok := value[name.(string)]; !ok {
				return fmt.Errorf("member %q is missing", name)
			}
		}
	case "properties", "additionalProperties", "propertyNames":
	default:
		return fmt.Errorf("keyword %s beside an object", keyword)
	}
	return nil
}
