console.log("the page")
