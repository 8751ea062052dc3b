// Send one request; print its status.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	request, _ := http.NewRequest("GET", os.Args[1], nil)
	if len(os.Args) > 2 {
		request, _ = http.NewRequest("POST", os.Args[1], strings.NewReader(os.Args[2]))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.StatusCode)
}
